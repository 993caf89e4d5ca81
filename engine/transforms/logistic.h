// Logistic and hyperbolic functions that neither overflow nor cancel.
#pragma once

#include <cmath>

namespace aisivi {

// σ(y) = 1 / (1 + e^−y).
inline double Sigmoid(double y) {
  if (y >= 0) return 1 / (1 + std::exp(-y));
  const double e = std::exp(y);
  return e / (1 + e);
}

// log σ(y).
inline double LogSigmoid(double y) {
  return y >= 0 ? -std::log1p(std::exp(-y)) : y - std::log1p(std::exp(y));
}

// log sech(y) = −log cosh(y).
inline double LogSech(double y) {
  constexpr double kLog2 = 0.69314718055994530941723212145818;
  const double size = std::fabs(y);
  return kLog2 - size - std::log1p(std::exp(-2 * size));
}

}  // namespace aisivi
