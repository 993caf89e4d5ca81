// Bayesian logistic regression by all methods, on the data of --data (the paper's: WAVEFORM): log
// evidence and gap, and against reference draws, where a file of them is given, the sum of log q
// over them, marginals and correlations.
#pragma once

#include "absl/status/status.h"
#include "client/experiments/context.h"

namespace aisivi::experiments {

absl::Status RunLogistic(const Context& context);

}  // namespace aisivi::experiments
