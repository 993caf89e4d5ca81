#include "engine/methods/kpg.h"

#include <limits>

namespace aisivi {

absl::Status Kpg::Gradients(const StepInput& input, ObjectiveState* state,
                            StepGradients* gradients) {
  if (absl::Status s = MakeSteinPoints(input, &points_); !s.ok()) return s;
  const int64_t n = points_.x.cols();
  gradients->log_q.resize(0);
  gradients->grad_log_sigma.resize(0, 0);
  gradients->elbo = gradients->ess = gradients->score_residual =
      std::numeric_limits<double>::quiet_NaN();
  gradients->finite = n < 2 ? 0 : n;
  if (n < 2) return absl::OkStatus();
  EvaluateKernel(options_.kernel, points_.x, &kernel_);
  const double count = static_cast<double>(n);
  smoothed_.noalias() = points_.f * kernel_.value;
  gradients->loss = smoothed_.cwiseProduct(points_.f).sum() / (count * count);
  gradients->criterion = gradients->loss;
  smoothed_ *= -1 / (count * count);
  ScatterGradient(points_, smoothed_, input.points.z.cols(), &state->typical_length, gradients);
  return absl::OkStatus();
}

}  // namespace aisivi
