// Eight separated modes that are not Gaussian: bananas of unequal weight around a circle.
//
//   p(z) = Σ_k w_k banana(t_k·z, r − n_k·z),   w_k = k/36,   k = 1 … 8,   log Z = 0
//   n_k = (cos θ_k, sin θ_k),   t_k = (−sin θ_k, cos θ_k),   θ_k = (k − 1) π/4
//
// with the normalised density of banana.h, in coordinates turned by θ_k and moved out by the radius
// r: every banana opens outwards, its bend at a distance of about r + 1 from the origin.
// score = Σ_k ρ_k(z) (g₁ t_k − g₂ n_k), ρ_k the responsibilities, g the score of the banana.
#pragma once

#include "engine/targets/builtin.h"

namespace aisivi {

BuiltinSpec EightBananasSpec();

}  // namespace aisivi
