#include "engine/methods/stein_points.h"

#include <algorithm>
#include <cmath>

namespace aisivi {
namespace {

constexpr double kLongestTypical = 20;  // as of residuals, point_gradients.cc
constexpr double kStepShare = 0.01;

double MedianLength(const Eigen::MatrixXd& columns) {
  std::vector<double> lengths;
  for (int64_t i = 0; i < columns.cols(); ++i) lengths.push_back(columns.col(i).norm());
  if (lengths.empty()) return 0;
  const auto middle = lengths.begin() + static_cast<int64_t>(lengths.size() / 2);
  std::nth_element(lengths.begin(), middle, lengths.end());
  return *middle;
}

}  // namespace

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
  points->f =
      component.affine.scale.transpose().triangularView<Eigen::Upper>() * input.points.score_p;
  points->f += points->noise;
  points->x = sample.x.cast<double>();
  points->finite.clear();
  for (int64_t i = 0; i < m; ++i) {
    if (!std::isfinite(input.points.log_p[i]) || !points->f.col(i).allFinite() ||
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

void ScatterGradient(const SteinPoints& points, const Eigen::MatrixXd& gradient, int64_t m,
                     TypicalLength* typical, StepGradients* gradients) {
  const double median = MedianLength(gradient);
  typical->value += (typical->steps++ == 0 ? 1.0 : kStepShare) * (median - typical->value);
  const double longest = kLongestTypical * std::max(typical->value, median);
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
