// Monotone rational-quadratic splines on [−B, B] with identity tails (Gregory & Delbourgo, IMA J.
// Numer. Anal. 1982; as a flow: Durkan, Bekasov, Murray & Papamakarios, NeurIPS 2019, arXiv
// 1906.04032), and their gradient.
//
// K bins; bin k begins at the knot (X_k, Y_k) and has width W_k and height H_k, Σ W = Σ H = 2B:
//   W_k = ω + (2B − K ω) softmax(r^W)_k,  X_k = −B + Σ_{j<k} W_j;  likewise H, Y from r^H
//   d_k = exp(R tanh(r^d_k / R)) is the slope at knot k = 1 … K−1;  d_0 = d_K = 1, as in the tails
// In a bin, with ξ = (v − X_k)/W_k, ζ = 1 − ξ, s = H_k/W_k, κ₀ = d_k/s, κ₁ = d_{k+1}/s:
//   η  = ξ (ξ + κ₀ ζ) / Q,  Q = ξ² + ζ² + (κ₀ + κ₁) ξ ζ,  f(v) = Y_k + H_k η
//   f' = s N / Q²,          N = κ₁ ξ² + 2 ξ ζ + κ₀ ζ²
// which is arXiv 1906.04032, eq. 4 and 5, divided by s and with 1 = (ξ + ζ)²: sums of positive
// terms only. r = 0 gives W = H = 2B/K and d = 1, so κ = 1, Q = N = 1 and f(v) = v: the identity
// needs no biases of its own. Outside [−B, B] f(v) = v.
//
// The inverse, η = (u − Y_k)/H_k, solves a quadratic. With β = κ₀ (1 − η) − κ₁ η its discriminant
// is ρ² = β² + 4 η (1 − η), and
//   ξ = 2 η / (β + ρ + 2 η) for β ≥ 0, else ζ = 2 (1 − η) / (−β + ρ + 2 (1 − η)),
// sums of positive terms again: exact to rounding at any slopes.
//
// Gradient. For a loss L with G = dL/du at u = f(v), which also holds w Σ log |det| of the inverse
// map, so −w log f'(v); writing δ for ξ ζ / Q:
//   g_ξ  = dL/dξ  = G H N/Q² − w (N_ξ/N − 2 Q_ξ/Q),  N_ξ = 2 κ₁ ξ + 2 (ζ − ξ) − 2 κ₀ ζ,
//                                                   Q_ξ = (κ₀ + κ₁ − 2)(ζ − ξ)
//   g_κ₀ = dL/dκ₀ =  G H δ (1 − η) − w (ζ²/N − 2 δ)
//   g_κ₁ = dL/dκ₁ = −G H δ η       − w (ξ²/N − 2 δ)
//   dL/d log d_{k+i} = κ_i g_κi,  and  σ = dL/d log s = −w − κ₀ g_κ₀ − κ₁ g_κ₁
//   dL/dv = g_ξ/W,  dL/dX = −g_ξ/W,  dL/dW = −(σ + ξ g_ξ)/W,  dL/dY = G,  dL/dH = G η + σ/H
//   dL/dW_j = [j < k] dL/dX + [j = k] dL/dW =: γ_j, likewise H; then by the softmax, with shares p:
//   dL/dr^W_j = (2B − K ω) p_j (γ_j − Σ_i p_i γ_i),  dL/dr^d_k = dL/d log d_k (1 − tanh²(r^d_k/R))
// In the tails dL/dv = G and r has no gradient.
#pragma once

#include <cstdint>

#include "engine/nn/tile.h"

namespace aisivi {

inline constexpr int64_t kSplineBins = 8;  // K, as in the authors' experiments on densities
inline constexpr float kSplineBound = 4;   // B: beyond are 6e-5 of standard normal noise
// Rows of raw for one coordinate: r^W (K), r^H (K), r^d (K − 1).
inline constexpr int64_t kSplineOutputs = 3 * kSplineBins - 1;

enum class SplineDirection { kForward, kInverse };  // f or f⁻¹

// value ← f(value) or f⁻¹(value), n values with parameters of their own: raw is kSplineOutputs × n.
// log_det (n) −= log f' there, in both directions. NaN stays NaN. value and the rows of raw are
// padded to 16 (tile.h); padding is computed too.
void ApplySpline(SplineDirection direction, const ConstTileMap& raw, float* value, double* log_det);

// The gradient of f: at values v (n), on entry grad (n) is G, on return dL/dv. det_weight: w.
// grad_raw (kSplineOutputs × n) ← dL/dr. All rows padded as above.
void SplineBackward(const ConstTileMap& raw, const float* v, float det_weight, float* grad,
                    TileMap grad_raw);

}  // namespace aisivi
