// Running another program to its end, without a shell.
#pragma once

#include <filesystem>
#include <stop_token>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace aisivi::experiments {

// Runs words[0], looked for in PATH, with the other words as its arguments, in a process group of
// its own; what it prints goes to `log`. Returns its exit code, or 128 and the number of the signal
// that ended it. NOT_FOUND when there is no such program; CANCELLED after a request to stop, with
// the program and what it started killed.
absl::StatusOr<int> RunProgram(const std::vector<std::string>& words,
                               const std::filesystem::path& log, const std::stop_token& stop);

}  // namespace aisivi::experiments
