#include "engine/proposal/activation_normalisation.h"

#include <algorithm>
#include <cmath>

#include "engine/nn/row_sums.h"

namespace aisivi {

void ActivationNormalisation::Forward(const float* parameters, TileMap u, double* log_det) const {
  double total = 0;
  for (int64_t e = 0; e < rows_; ++e) {
    const float a = parameters[log_scale_ + e];
    total += static_cast<double>(a);
    u.row(e) = u.row(e).array() * std::exp(a) + parameters[shift_ + e];
  }
  AddConstant(total, u.cols(), log_det);
}

void ActivationNormalisation::Inverse(const float* parameters, const ConstTileMap& u,
                                      TileMap normed, double* log_det) const {
  double total = 0;
  for (int64_t e = 0; e < rows_; ++e) {
    const float a = parameters[log_scale_ + e];
    normed.row(e) = (u.row(e).array() - parameters[shift_ + e]) * std::exp(-a);
    total += static_cast<double>(a);
  }
  AddConstant(total, u.cols(), log_det);
}

void ActivationNormalisation::Backward(const float* parameters, const ConstTileMap& normed,
                                       float det_weight, TileMap grad_u, float* gradient) const {
  // v = (u − g) e^{−a}.  d/dg = −e^{−a}, d/da = −v; Σ a enters the loss.
  for (int64_t e = 0; e < rows_; ++e) {
    gradient[log_scale_ + e] +=
        det_weight * static_cast<float>(grad_u.cols()) - grad_u.row(e).dot(normed.row(e));
    grad_u.row(e) *= std::exp(-parameters[log_scale_ + e]);
    gradient[shift_ + e] -= grad_u.row(e).sum();
  }
}

void ActivationNormalisation::Initialize(const ConstTileMap& u, float* parameters) const {
  for (int64_t e = 0; e < rows_; ++e) {
    const float mean = u.row(e).mean();
    const float variance = (u.row(e).array() - mean).square().mean();
    if (!std::isfinite(mean) || !(variance > 1e-12f)) continue;
    parameters[log_scale_ + e] = 0.5f * std::log(variance);
    parameters[shift_ + e] = mean;
  }
}

void ActivationNormalisation::Set(int64_t first, int64_t count, float log_scale,
                                  float* parameters) const {
  std::fill_n(parameters + log_scale_, rows_, 0.0f);
  std::fill_n(parameters + shift_, rows_, 0.0f);
  std::fill_n(parameters + log_scale_ + first, count, log_scale);
}

}  // namespace aisivi
