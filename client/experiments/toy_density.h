// The paper's two-dimensional targets, exactly: normalised log densities, and draws.
//
//   banana      (z₁, z₁² + z₂ + 1) ~ N(0, [[1, 0.9], [0.9, 1]])
//   multimodal  ½ N((−2, 0), I) + ½ N((2, 0), I)
//   x_shaped    ½ N(0, [[2, 1.8], [1.8, 2]]) + ½ N(0, [[2, −1.8], [−1.8, 2]])
#pragma once

#include <Eigen/Core>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "client/cli/density_grid.h"

namespace aisivi::experiments {

class ToyDensity {
 public:
  // "banana", "multimodal", "x_shaped". NOT_FOUND otherwise.
  static absl::StatusOr<ToyDensity> Find(const std::string& name);

  // log p(z) of points 2×N: N entries.
  Eigen::VectorXd LogDensity(const Eigen::MatrixXd& z) const;
  // Independent draws, 2×count; the same for the same seed.
  Eigen::MatrixXd Draw(int64_t count, uint64_t seed) const;
  // A square of the plane that holds nearly all of it.
  cli::Axis x_axis() const { return x_axis_; }
  cli::Axis y_axis() const { return y_axis_; }

 private:
  // N(center, [[variance, covariance], [covariance, variance]]).
  struct Component {
    Eigen::Vector2d center;
    double variance, covariance;
  };
  ToyDensity(std::vector<Component> components, double bend, cli::Axis x, cli::Axis y)
      : components_(std::move(components)),
        bend_(bend),
        x_axis_(std::move(x)),
        y_axis_(std::move(y)) {}

  std::vector<Component> components_;  // of equal weight, of (z₁, z₂ + bend (z₁² + 1))
  double bend_;
  cli::Axis x_axis_, y_axis_;
};

// The names above, in the paper's order.
const std::vector<std::string>& ToyNames();

}  // namespace aisivi::experiments
