// How much memory another process uses, from /proc.
#pragma once

#include <sys/types.h>

#include <functional>

#include "absl/status/status.h"

namespace aisivi::experiments {

// The largest resident set, in bytes, that process `pid` has while `work` runs. NaN where /proc
// does not tell (another user's process, none of that id, pid 0); `work` is done all the same, and
// *status becomes what it returns.
double PeakMemory(pid_t pid, const std::function<absl::Status()>& work, absl::Status* status);

}  // namespace aisivi::experiments
