// The scale σ(ρ) of q(z|ε) and its derivative.
//
//   bounded (with the linear skip)   σ = σ₀ e^{4.5 t},  t = tanh(ρ/4.5),  dσ/dρ = σ (1 − t²)
//   else                             σ = s softplus(ρ) + 1e-10,  dσ/dρ = s/(1 + e^{−ρ})
// so that a bounded σ stays within e^{±4.5} of σ₀, which ρ = 0 gives.
#pragma once

#include <Eigen/Core>
#include <cmath>

namespace aisivi {

inline constexpr float kLogSigmaRange = 4.5f;
inline constexpr float kSigmaFloor = 1e-10f;  // PRESETS.md

// t of a row of ρ; the result reads `rho` when it is assigned.
template <typename Derived>
auto BoundedSigmaTanh(const Eigen::MatrixBase<Derived>& rho) {
  return (rho.derived().array() / kLogSigmaRange).tanh();
}

// σ/σ₀ of a row of t.
template <typename Derived>
auto RelativeSigma(const Eigen::ArrayBase<Derived>& t) {
  return (kLogSigmaRange * t.derived()).exp();
}

// dσ/dρ / σ of a row of t.
template <typename Derived>
auto LogSigmaSlope(const Eigen::ArrayBase<Derived>& t) {
  return 1.0f - t.derived().square();
}

inline float Softplus(float v) { return v > 20.0f ? v : std::log1p(std::exp(v)); }

inline float UnboundedSigma(float scale, float rho) { return scale * Softplus(rho) + kSigmaFloor; }

struct SigmaAndSlope {
  float value, slope;  // σ and dσ/dρ
};

// Of a single ρ. scale: σ₀, or s.
inline SigmaAndSlope SigmaOf(bool bounded, float scale, float rho) {
  if (!bounded) return {UnboundedSigma(scale, rho), scale / (1.0f + std::exp(-rho))};
  const float t = std::tanh(rho / kLogSigmaRange);
  const float value = scale * std::exp(kLogSigmaRange * t);
  return {value, value * (1.0f - t * t)};
}

}  // namespace aisivi
