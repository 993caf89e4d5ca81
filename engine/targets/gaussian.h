// Gaussian with full covariance.
//
//   z ~ N(mean, covariance),   log Z = 0
//   log p(z) = −D/2 log 2π − Σ log L_jj − ½‖w‖²,  w = L⁻¹(z − mean),  L Lᵀ = covariance
//   score    = −L⁻ᵀ w
//
// mean: D; covariance: D×D, symmetric positive definite.
#pragma once

#include "engine/targets/builtin.h"

namespace aisivi {

BuiltinSpec GaussianSpec();

}  // namespace aisivi
