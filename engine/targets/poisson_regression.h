// Bayesian Poisson regression with the log link.
//
//   y_i | β ~ Poisson(exp(x_iᵀβ)),   β ~ N(0, α⁻¹ I)
//   log p̃(β) = Σ_i [y_i x_iᵀβ − exp(x_iᵀβ) − log y_i!] − α/2 ‖β‖² + P/2 log(α/2π)
//   score    = Σ_i (y_i − exp(x_iᵀβ)) x_i − α β
//
// x: N×P, taken as it is; y: N counts. Where the rate overflows, log p̃ is −inf or hugely negative.
#pragma once

#include "engine/targets/builtin.h"

namespace aisivi {

BuiltinSpec PoissonRegressionSpec();

}  // namespace aisivi
