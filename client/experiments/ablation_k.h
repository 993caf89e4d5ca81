// The estimate of the score of a fitted q against the number k of inner samples: variance, bias,
// effective samples, time and memory, with inner samples from the proposal (AISIVI) and from the
// prior (BSIVI), on a logistic regression.
#pragma once

#include "absl/status/status.h"
#include "client/experiments/context.h"

namespace aisivi::experiments {

absl::Status RunAblationK(const Context& context);

}  // namespace aisivi::experiments
