// Bayesian logistic regression.
//
//   y_i | β ~ Bernoulli(σ(x_iᵀβ)),   β ~ N(0, α⁻¹ I),   σ(t) = 1/(1 + e⁻ᵗ)
//   log p̃(β) = −Σ_i log(1 + exp(−s_i x_iᵀβ)) − α/2 ‖β‖² + P/2 log(α/2π),   s_i = 2y_i − 1
//   score    = Σ_i s_i σ(−s_i x_iᵀβ) x_i − α β
//
// x: N×P, taken as it is (an intercept is a column of ones and has the same prior); y: N of 0/1.
// log Z is the log evidence.
#pragma once

#include "engine/targets/builtin.h"

namespace aisivi {

BuiltinSpec LogisticRegressionSpec();

}  // namespace aisivi
