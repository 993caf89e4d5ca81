// Gradients of flows against differences.
#pragma once

#include <Eigen/Core>
#include <cmath>
#include <functional>

namespace aisivi::test {

struct GradientCheck {
  double error;   // relative, over the smooth entries
  double smooth;  // share of the entries that are
};

// `gradient` of `loss` in `values`, which loss() reads, against differences with two steps. Where
// these disagree a ReLU or a knot lies between, or the step is too long: not smooth.
inline GradientCheck CheckGradient(const std::function<double()>& loss, float step,
                                   const Eigen::VectorXd& gradient,
                                   Eigen::Ref<Eigen::VectorXf> values) {
  const auto differences = [&](float h) {
    Eigen::VectorXd result(values.size());
    for (int64_t i = 0; i < values.size(); ++i) {
      const float at = values[i];
      values[i] = at + h;
      const double high = static_cast<double>(values[i]), up = loss();
      values[i] = at - h;
      const double low = static_cast<double>(values[i]), down = loss();
      values[i] = at;
      result[i] = (up - down) / (high - low);
    }
    return result;
  };
  const Eigen::VectorXd wide = differences(step), expected = differences(0.5f * step);
  if (expected.size() == 0) return {0, 1};
  const double typical = expected.norm() / std::sqrt(static_cast<double>(expected.size()));
  double error = 0, size = 0, smooth = 0;
  for (int64_t i = 0; i < expected.size(); ++i) {
    if (std::abs(wide[i] - expected[i]) > 0.01 * (typical + std::abs(expected[i]))) continue;
    error += std::pow(gradient[i] - expected[i], 2);
    size += std::pow(expected[i], 2);
    ++smooth;
  }
  return {std::sqrt(error / std::max(size, 1e-12)), smooth / static_cast<double>(expected.size())};
}

}  // namespace aisivi::test
