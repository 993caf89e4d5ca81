#include "client/experiments/toy_density.h"

#include <cmath>
#include <random>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace aisivi::experiments {
namespace {

cli::Axis AxisOf(double min, double max) { return {min, max, cli::RoundTicks(min, max)}; }

}  // namespace

absl::StatusOr<ToyDensity> ToyDensity::Find(const std::string& name) {
  const Eigen::Vector2d origin(0, 0), left(-2, 0), right(2, 0);
  if (name == "banana") {
    return ToyDensity({{origin, 1, 0.9}}, 1, AxisOf(-3.4, 3.4), AxisOf(-11, 1.5));
  }
  if (name == "multimodal") {
    return ToyDensity({{left, 1, 0}, {right, 1, 0}}, 0, AxisOf(-5, 5), AxisOf(-3.5, 3.5));
  }
  if (name == "x_shaped") {
    return ToyDensity({{origin, 2, 1.8}, {origin, 2, -1.8}}, 0, AxisOf(-4, 4), AxisOf(-4, 4));
  }
  return absl::NotFoundError(
      absl::StrCat("target: '", name, "' is not one of ", absl::StrJoin(ToyNames(), ", ")));
}

Eigen::VectorXd ToyDensity::LogDensity(const Eigen::MatrixXd& z) const {
  const double kLogTwoPi = std::log(2 * M_PI);
  // The bend moves every column of the plane as a whole: its Jacobian is 1.
  const Eigen::ArrayXd x = z.row(0).transpose().array();
  const Eigen::ArrayXd y = z.row(1).transpose().array() + bend_ * (x.square() + 1);
  Eigen::ArrayXXd terms(z.cols(), static_cast<Eigen::Index>(components_.size()));
  for (size_t c = 0; c < components_.size(); ++c) {
    const Component& component = components_[c];
    const double v = component.variance, k = component.covariance, det = v * v - k * k;
    const Eigen::ArrayXd dx = x - component.center[0], dy = y - component.center[1];
    terms.col(static_cast<Eigen::Index>(c)) =
        -0.5 / det * (v * (dx.square() + dy.square()) - 2 * k * dx * dy) - kLogTwoPi -
        0.5 * std::log(det);
  }
  const Eigen::ArrayXd top = terms.rowwise().maxCoeff();
  const Eigen::ArrayXd mean = (terms.colwise() - top).exp().rowwise().mean();
  return (top + mean.log()).matrix();
}

Eigen::MatrixXd ToyDensity::Draw(int64_t count, uint64_t seed) const {
  std::mt19937_64 engine(seed);
  std::normal_distribution<double> normal;
  std::uniform_int_distribution<size_t> choose(0, components_.size() - 1);
  Eigen::MatrixXd z(2, count);
  for (Eigen::Index n = 0; n < count; ++n) {
    const Component& component = components_[choose(engine)];
    const double v = component.variance, k = component.covariance;
    const double u1 = normal(engine), u2 = normal(engine);
    z(0, n) = component.center[0] + std::sqrt(v) * u1;
    z(1, n) = component.center[1] + k / std::sqrt(v) * u1 + std::sqrt(v - k * k / v) * u2 -
              bend_ * (z(0, n) * z(0, n) + 1);
  }
  return z;
}

const std::vector<std::string>& ToyNames() {
  static const auto* const kNames =
      new std::vector<std::string>{"banana", "multimodal", "x_shaped"};
  return *kNames;
}

}  // namespace aisivi::experiments
