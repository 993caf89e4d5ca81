#include "engine/methods/ksivi.h"

#include <algorithm>
#include <cmath>

namespace aisivi {
namespace {

// Of a step along a unit vector in whitened coordinates: the error of the difference is δ² there,
// and rounding 1e-16/δ.
constexpr double kDifference = 1e-4;

}  // namespace

void Ksivi::Smooth(int64_t points, StepGradients* gradients) {
  const double n = static_cast<double>(points);
  const double c = options_.v_statistic ? 2 / (n * n) : 2 / (n * (n - 1));
  products_ = kernel_.value;
  if (!options_.v_statistic) products_.diagonal().setZero();
  g_.noalias() = c * points_.f * products_;
  gradients->loss = 0.5 * g_.cwiseProduct(points_.f).sum();
  // d k_ij through x_i, for all j at once.
  products_.noalias() = points_.f.transpose() * points_.f;
  products_ = (c * products_.cwiseProduct(kernel_.slope)).eval();
  residual_ = points_.x * products_.rowwise().sum().asDiagonal();
  residual_.noalias() -= points_.x * products_;
}

absl::Status Ksivi::AddCurvature(const StepInput& input) {
  const AffineMap& affine = input.model.components.front().affine;
  const int64_t n = g_.cols();
  shifted_.resize(g_.rows(), 2 * n);
  for (int64_t i = 0; i < n; ++i) {
    const double length = g_.col(i).norm();
    const Eigen::VectorXd direction = g_.col(i) * (length > 0 ? kDifference / length : 0);
    const Eigen::VectorXd step = affine.scale.triangularView<Eigen::Lower>() * direction;
    const Eigen::VectorXd z = input.points.z.col(points_.finite[static_cast<size_t>(i)]);
    shifted_.col(i) = z + step;
    shifted_.col(n + i) = z - step;
  }
  if (absl::Status s = EvaluateTarget(input.target, input.pool, shifted_, &at_shifted_); !s.ok()) {
    return s;
  }
  for (int64_t i = 0; i < n; ++i) {
    const double factor = g_.col(i).norm() / (2 * kDifference);
    const Eigen::VectorXd bend =
        factor * (at_shifted_.score_p.col(i) - at_shifted_.score_p.col(n + i));
    residual_.col(i) += affine.scale.transpose().triangularView<Eigen::Upper>() * bend;
  }
  return absl::OkStatus();
}

absl::Status Ksivi::Gradients(const StepInput& input, ObjectiveState* state,
                              StepGradients* gradients) {
  if (absl::Status s = MakeSteinPoints(input, &points_); !s.ok()) return s;
  const int64_t m = input.points.z.cols(), n = points_.x.cols();
  if (!BeginGradients(points_, gradients)) return absl::OkStatus();
  EvaluateKernel(options_.kernel, points_.x, &kernel_);
  Smooth(n, gradients);
  gradients->criterion = std::abs(gradients->loss);
  if (absl::Status s = AddCurvature(input); !s.ok()) return s;
  ScatterGradient(points_, residual_, m, &state->typical_length, gradients);
  gradients->grad_log_sigma.setZero(g_.rows(), m);
  for (int64_t i = 0; i < n; ++i) {
    if (!residual_.col(i).allFinite()) continue;
    gradients->grad_log_sigma.col(points_.finite[static_cast<size_t>(i)]) =
        -g_.col(i).cwiseProduct(points_.noise.col(i)).cast<float>();
  }
  return absl::OkStatus();
}

}  // namespace aisivi
