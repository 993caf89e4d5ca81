#include "engine/fit/best_state.h"

#include <cmath>

namespace aisivi {
namespace {

constexpr double kNoise = 2;  // standard errors of a difference of held-out ELBOs

}  // namespace

bool IsBetter(const HeldOut& held_out, bool last, const BestState& best) {
  if (!std::isfinite(held_out.elbo)) return false;
  if (!best.model.has_value()) return true;
  const double noise = last ? kNoise * StandardErrorOfDifference(held_out, best.held_out) : 0;
  return held_out.elbo > best.held_out.elbo - noise;
}

}  // namespace aisivi
