#include "client/experiments/marginal_density.h"

#include <gtest/gtest.h>

#include <cmath>

namespace aisivi::experiments {
namespace {

double Kernel(double t, double h) {
  return std::exp(-0.5 * t * t / (h * h)) / (h * std::sqrt(2 * M_PI));
}

TEST(MarginalDensity, SumsOverCoordinatesAndReference) {
  Eigen::MatrixXd draws(2, 3), reference(2, 1);
  draws << 0.3, 0.1, 0.2,  //
      1.0, 1.5, 2.0;
  reference << 0.15,  //
      1.4;
  double expected = 0;
  for (int d = 0; d < 2; ++d) {
    double density = 0;
    for (int n = 0; n < 3; ++n) density += Kernel(draws(d, n) - reference(d, 0), 0.1) / 3;
    expected += std::log(density);
  }
  EXPECT_NEAR(MarginalLogDensity(draws, reference, 0.1), expected, 1e-12);
}

TEST(MarginalDensity, FarAwayIsFiniteAndTerrible) {
  const Eigen::MatrixXd draws = Eigen::MatrixXd::Zero(1, 10);
  const double value = MarginalLogDensity(draws, Eigen::MatrixXd::Constant(1, 1, 100), 0.01);
  EXPECT_TRUE(std::isfinite(value));
  EXPECT_LT(value, -600);
}

}  // namespace
}  // namespace aisivi::experiments
