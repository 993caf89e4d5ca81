// The best state that a run has met, by its held-out ELBO: what it ends with.
#pragma once

#include <optional>

#include "engine/fit/held_out.h"
#include "engine/fit/reporter.h"
#include "engine/model/model_state.h"

namespace aisivi {

struct BestState {
  std::optional<ModelState> model;
  HeldOut held_out;    // of `model`
  ReportSpan reports;  // of the training that led to it; none where it is a start
};

// Whether a state with this held-out ELBO is better than the best; without a best any finite one
// is. Of many noisy looks the best is a lucky one: the last state, trained longest and at the
// lowest rates, is taken for better unless it is worse by more than two standard errors of the
// difference, or by more than 0.1 nats.
bool IsBetter(const HeldOut& held_out, bool last, const BestState& best);

}  // namespace aisivi
