// Our fits beside NUTS and bridge sampling on the same targets: seconds, gradients, log Z.
#pragma once

#include "absl/status/status.h"
#include "client/experiments/context.h"

namespace aisivi::experiments {

absl::Status RunPeers(const Context& context);

}  // namespace aisivi::experiments
