// The number of coupling layers of the proposal: quality against cost.
#pragma once

#include "absl/status/status.h"
#include "client/experiments/context.h"

namespace aisivi::experiments {

absl::Status RunArchitecture(const Context& context);

}  // namespace aisivi::experiments
