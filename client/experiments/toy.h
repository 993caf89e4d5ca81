// The paper's two-dimensional targets, fitted by AISIVI and BSIVI as published and by default:
// histograms of the draws beside the true density, forward KL(p‖q) beside the published table, and
// reverse KL(q‖p) from the evidence lower bound (log Z is 0).
#pragma once

#include "absl/status/status.h"
#include "client/experiments/context.h"

namespace aisivi::experiments {

absl::Status RunToy(const Context& context);

}  // namespace aisivi::experiments
