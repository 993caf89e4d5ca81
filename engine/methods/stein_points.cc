#include "engine/methods/stein_points.h"

#include <cmath>
#include <limits>

namespace aisivi {
absl::Status MakeSteinPoints(const StepInput& input, SteinPoints* points) {
  if (input.model.components.size() != 1) {
    return absl::InvalidArgumentError("method: kernels compare points of one component only");
  }
  const Component& component = input.model.components.front();
  const ComponentSample& sample = input.points.samples.front();
  const int64_t m = sample.x.cols(), dim = sample.x.rows();
  Scratch& scratch = input.workspace.caller();
  Scratch::Frame frame(scratch);
  TileMap epsilon = TakeTile(scratch, sample.epsilon.rows(), m);
  epsilon = sample.epsilon;
  const Conditional conditional = component.family.Evaluate(Const(epsilon), scratch);
  points->noise.resize(dim, m);
  for (int64_t i = 0; i < m; ++i) {
    const int64_t column = conditional.shared_sigma ? 0 : i;
    points->noise.col(i) = sample.eta.col(i).cast<double>().cwiseProduct(
        conditional.inv_sigma.col(column).cast<double>());
  }
  if (absl::Status s = input.at_points.Await(); !s.ok()) return s;
  const TargetValues& target = input.at_points.values();
  points->f = component.affine.scale.transpose().triangularView<Eigen::Upper>() * target.score_p;
  points->f += points->noise;
  points->x = sample.x.cast<double>();
  points->finite.clear();
  for (int64_t i = 0; i < m; ++i) {
    if (!std::isfinite(target.log_p[i]) || !points->f.col(i).allFinite() ||
        !points->x.col(i).allFinite()) {
      continue;
    }
    const int64_t n = static_cast<int64_t>(points->finite.size());
    points->finite.push_back(i);
    points->x.col(n) = points->x.col(i);
    points->f.col(n) = points->f.col(i);
    points->noise.col(n) = points->noise.col(i);
  }
  const int64_t n = static_cast<int64_t>(points->finite.size());
  points->x.conservativeResize(Eigen::NoChange, n);
  points->f.conservativeResize(Eigen::NoChange, n);
  points->noise.conservativeResize(Eigen::NoChange, n);
  return absl::OkStatus();
}

bool BeginGradients(const SteinPoints& points, StepGradients* gradients) {
  constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();
  gradients->log_q.resize(0);
  gradients->grad_log_sigma.resize(0, 0);
  gradients->elbo = gradients->ess = gradients->score_residual = kUnknown;
  const bool enough = points.x.cols() >= 2;
  gradients->finite = enough ? points.x.cols() : 0;
  return enough;
}

void ScatterGradient(const SteinPoints& points, const Eigen::MatrixXd& gradient, int64_t m,
                     TypicalLength* typical, StepGradients* gradients) {
  std::vector<double> lengths;
  for (int64_t i = 0; i < gradient.cols(); ++i) lengths.push_back(gradient.col(i).norm());
  const double longest = LongestInProportion(Median(&lengths), typical);
  gradients->grad_x.setZero(gradient.rows(), m);
  for (size_t i = 0; i < points.finite.size(); ++i) {
    const Eigen::VectorXd column = gradient.col(static_cast<int64_t>(i));
    const double length = column.norm();
    if (!std::isfinite(length)) continue;
    gradients->grad_x.col(points.finite[i]) =
        (length > longest ? longest / length * column : column).cast<float>();
  }
}

}  // namespace aisivi
