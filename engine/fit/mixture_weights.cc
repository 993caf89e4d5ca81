#include "engine/fit/mixture_weights.h"

#include <cmath>

namespace aisivi {
namespace {

constexpr double kRate = 0.1;  // in log space; each step is at most so many nats

}  // namespace

void UpdateMixtureWeights(const Eigen::VectorXd& log_p, const Eigen::VectorXd& log_q,
                          double rate_factor, ModelState* model, MixtureWeightsWork* work) {
  const int64_t components = static_cast<int64_t>(model->components.size());
  if (components == 1) return;
  const int64_t each = log_p.size() / components;
  Eigen::VectorXd &log_weight = work->log_weight, &elbo = work->elbo;
  log_weight.resize(components);
  elbo.resize(components);
  for (int64_t c = 0; c < components; ++c) {
    double sum = 0;
    int64_t finite = 0;
    for (int64_t j = c * each; j < (c + 1) * each; ++j) {
      const double v = log_p[j] - log_q[j];
      if (!std::isfinite(v)) continue;
      sum += v;
      ++finite;
    }
    if (finite == 0) return;
    elbo[c] = sum / static_cast<double>(finite);
    log_weight[c] = model->components[c].log_weight;
  }
  const double mean = (log_weight.array().exp() * elbo.array()).sum();
  log_weight.array() += kRate * rate_factor * (elbo.array() - mean).max(-1.0).min(1.0);
  const double top = log_weight.maxCoeff();
  const double norm = top + std::log((log_weight.array() - top).exp().sum());
  for (int64_t c = 0; c < components; ++c) model->components[c].log_weight = log_weight[c] - norm;
}

}  // namespace aisivi
