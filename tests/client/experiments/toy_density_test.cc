#include "client/experiments/toy_density.h"

#include <gtest/gtest.h>

#include <cmath>

namespace aisivi::experiments {
namespace {

constexpr double kLogTwoPi = 1.8378770664093453;

double LogDensityAt(const std::string& name, double z1, double z2) {
  Eigen::MatrixXd z(2, 1);
  z << z1, z2;
  return ToyDensity::Find(name)->LogDensity(z)[0];
}

TEST(ToyDensity, KnownValues) {
  // The banana's centre maps to the origin of N(0, [[1, 0.9], [0.9, 1]]), determinant 0.19.
  EXPECT_NEAR(LogDensityAt("banana", 0, -1), -kLogTwoPi - 0.5 * std::log(0.19), 1e-12);
  // (1, 1² − 1 + 1) = (1, 1): the exponent is −½ (1 + 1 − 1.8) / 0.19.
  EXPECT_NEAR(LogDensityAt("banana", 1, -1), -kLogTwoPi - 0.5 * std::log(0.19) - 0.1 / 0.19, 1e-12);
  EXPECT_NEAR(LogDensityAt("multimodal", 0, 0), -kLogTwoPi - 2, 1e-12);
  EXPECT_NEAR(LogDensityAt("multimodal", 2, 1),
              -kLogTwoPi - 0.5 + std::log(0.5 * (1 + std::exp(-8.0))), 1e-12);
  // Both components alike at the origin, determinant 4 − 3.24.
  EXPECT_NEAR(LogDensityAt("x_shaped", 0, 0), -kLogTwoPi - 0.5 * std::log(0.76), 1e-12);
}

TEST(ToyDensity, FarAwayIsSmallAndFinite) {
  for (const std::string& name : ToyNames()) {
    EXPECT_TRUE(std::isfinite(LogDensityAt(name, 100, 100))) << name;
    EXPECT_LT(LogDensityAt(name, 100, 100), -1000) << name;
  }
}

// The integral over a wide square, by the midpoint rule.
TEST(ToyDensity, IsNormalised) {
  constexpr int kPoints = 1200;
  constexpr double kReach = 30, kStep = 2 * kReach / kPoints;
  for (const std::string& name : ToyNames()) {
    const ToyDensity density = *ToyDensity::Find(name);
    Eigen::MatrixXd line(2, kPoints);
    line.row(0) = Eigen::RowVectorXd::LinSpaced(kPoints, -kReach + kStep / 2, kReach - kStep / 2);
    double mass = 0;
    for (int j = 0; j < kPoints; ++j) {
      line.row(1).setConstant(-kReach + kStep * (j + 0.5));
      mass += density.LogDensity(line).array().exp().sum() * kStep * kStep;
    }
    EXPECT_NEAR(mass, 1, 1e-4) << name;
  }
}

// Were the draws of another density, the mean of a function of them would differ from its integral.
TEST(ToyDensity, DrawsHaveTheMomentsOfTheDensity) {
  constexpr int64_t kDraws = 200000;
  for (const std::string& name : ToyNames()) {
    const Eigen::MatrixXd z = ToyDensity::Find(name)->Draw(kDraws, 7);
    EXPECT_NEAR(z.row(0).mean(), 0, 0.02) << name;
    const double variance = z.row(0).array().square().mean();
    EXPECT_NEAR(variance, name == "banana" ? 1 : name == "multimodal" ? 5 : 2, 0.05) << name;
    // E z₂ = −E z₁² − 1 = −2 for the banana.
    EXPECT_NEAR(z.row(1).mean(), name == "banana" ? -2 : 0, 0.03) << name;
  }
  const Eigen::MatrixXd z = ToyDensity::Find("x_shaped")->Draw(kDraws, 7);
  EXPECT_NEAR((z.row(0).array() * z.row(1).array()).square().mean(), 4 + 2 * 1.8 * 1.8, 0.5);
}

TEST(ToyDensity, TheAxesHoldNearlyAll) {
  for (const std::string& name : ToyNames()) {
    const ToyDensity density = *ToyDensity::Find(name);
    const Eigen::MatrixXd z = density.Draw(20000, 1);
    const cli::Axis x = density.x_axis(), y = density.y_axis();
    const double inside = ((z.row(0).array() > x.min) && (z.row(0).array() < x.max) &&
                           (z.row(1).array() > y.min) && (z.row(1).array() < y.max))
                              .cast<double>()
                              .mean();
    EXPECT_GT(inside, 0.97) << name;
  }
}

TEST(ToyDensity, OtherNamesAreRefused) {
  const absl::Status status = ToyDensity::Find("funnel").status();
  EXPECT_TRUE(absl::IsNotFound(status)) << status;
}

}  // namespace
}  // namespace aisivi::experiments
