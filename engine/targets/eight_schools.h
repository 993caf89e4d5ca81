// Eight schools, non-centred.
//
//   y_j ~ N(μ + τ η_j, s_j²),   η_j ~ N(0, 1),   μ ~ N(0, 5²),   τ ~ half-Cauchy(5)
//   z = (μ, t = log τ, η_1 … η_8);   log p̃(z) includes the Jacobian t
//   ∂/∂η_j = τ r_j − η_j,   ∂/∂μ = Σ r_j − μ/25,   ∂/∂t = τ Σ r_j η_j + 1 − 2τ²/(25 + τ²)
//   with r_j = (y_j − μ − τ η_j)/s_j²
//
// Data: D. B. Rubin, Estimation in parallel randomized experiments, Journal of Educational
// Statistics 6(4), 1981. Priors: as in posteriordb, eight_schools_noncentered.
#pragma once

#include "engine/targets/builtin.h"

namespace aisivi {

BuiltinSpec EightSchoolsSpec();

}  // namespace aisivi
