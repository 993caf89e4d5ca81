// Bayesian linear regression with unknown noise, under the conjugate prior.
//
//   y | β, σ ~ N(Xβ, σ² I),   β | σ ~ N(0, σ²/α I),   σ² ~ InverseGamma(a, b);   z = (β, s = log σ)
//   log p̃(z) = −(N+P)/2 log 2π + P/2 log α + a log b − log Γ(a) + log 2
//              − (N + P + 2a) s − e^{−2s} (b + ½ [‖y − Xβ‖² + α‖β‖²])
//
// where log 2 + 2s is the Jacobian of σ² = e^{2s}. Where N > P the bracket is q₀ + ‖Rβ − c‖² with
// the QR factorisation of [X; √α I], so that a point costs P² whatever N is. The evidence is exact:
//   log Z = −N/2 log 2π + P/2 log α − ½ log det(αI + XᵀX) + a log b − log Γ(a)
//           + log Γ(a + N/2) − (a + N/2) log(b + q₀/2)
// and is found on the smaller side of X: det(αI + XᵀX) = α^{P−N} det(αI + XXᵀ) and
// q₀ = α yᵀ(αI + XXᵀ)⁻¹ y. Nothing is larger than twice X.
//
// x: N×P, taken as it is; y: N.
// Source: A. Gelman et al., Bayesian Data Analysis, 3rd ed., 2013, chapter 14.
#pragma once

#include "engine/targets/builtin.h"

namespace aisivi {

BuiltinSpec LinearRegressionSpec();

}  // namespace aisivi
