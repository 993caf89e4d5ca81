// Training metrics against iterations, of AISIVI and BSIVI as published and by default, and where
// each fit stopped: by its stopping rule, or at the last iteration.
#pragma once

#include "absl/status/status.h"
#include "client/experiments/context.h"

namespace aisivi::experiments {

absl::Status RunConvergence(const Context& context);

}  // namespace aisivi::experiments
