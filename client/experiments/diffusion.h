// The 100-dimensional conditioned diffusion of the paper, fitted by all methods: the paper's log ML
// and the mean log q over reference draws where a file of them is given, the evidence gap, seconds,
// and the paths' 95 % bands.
#pragma once

#include "absl/status/status.h"
#include "client/experiments/context.h"

namespace aisivi::experiments {

absl::Status RunDiffusion(const Context& context);

}  // namespace aisivi::experiments
