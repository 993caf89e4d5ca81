#include "engine/fit/best_state.h"

#include <algorithm>
#include <cmath>

namespace aisivi {
namespace {

constexpr double kNoise = 2;  // standard errors of a difference of held-out ELBOs
// Nats. A difference whose error is larger is not noise around 0 but a tail that was met: what a
// verdict calls GOOD has a gap of 0.1 at most (verdict.h).
constexpr double kMostNoise = 0.1;

}  // namespace

bool IsBetter(const HeldOut& held_out, bool last, const BestState& best) {
  if (!std::isfinite(held_out.elbo)) return false;
  if (!best.model.has_value()) return true;
  const double noise =
      last ? std::min(kMostNoise, kNoise * StandardErrorOfDifference(held_out, best.held_out)) : 0;
  return held_out.elbo > best.held_out.elbo - noise;
}

}  // namespace aisivi
