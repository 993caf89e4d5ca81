#include "engine/methods/kpg.h"

namespace aisivi {

absl::Status Kpg::Gradients(const StepInput& input, ObjectiveState* state,
                            StepGradients* gradients) {
  if (absl::Status s = MakeSteinPoints(input, &points_); !s.ok()) return s;
  if (!BeginGradients(points_, gradients)) return absl::OkStatus();
  EvaluateKernel(options_.kernel, points_.x, &kernel_);
  const double count = static_cast<double>(points_.x.cols());
  smoothed_.noalias() = points_.f * kernel_.value;
  gradients->loss = smoothed_.cwiseProduct(points_.f).sum() / (count * count);
  gradients->criterion = gradients->loss;
  smoothed_ *= -1 / (count * count);
  ScatterGradient(points_, smoothed_, input.points.z.cols(), &state->typical_length, gradients);
  return absl::OkStatus();
}

}  // namespace aisivi
