// The estimate of the score of q against the dimension: how many inner samples it needs, from the
// proposal (AISIVI) and from the prior (BSIVI), on a Gaussian and on the conditioned diffusion.
#pragma once

#include "absl/status/status.h"
#include "client/experiments/context.h"

namespace aisivi::experiments {

absl::Status RunDimension(const Context& context);

}  // namespace aisivi::experiments
