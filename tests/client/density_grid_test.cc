#include "client/cli/density_grid.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace aisivi::cli {
namespace {

using testing::ElementsAre;

// D×N standard normal numbers.
Eigen::MatrixXd Normal(int rows, int columns) {
  std::mt19937_64 generator(1);
  std::normal_distribution<double> normal;
  return Eigen::MatrixXd::NullaryExpr(rows, columns, [&](auto, auto) { return normal(generator); });
}

TEST(Density, OfNormalDrawsIsTheNormalDensity) {
  const Eigen::VectorXd x = Normal(1, 20000).row(0);
  const Axis axis = {-4, 4, {}};
  const Eigen::VectorXd density = Density(x, axis, 161);
  EXPECT_NEAR(density[80], 1 / std::sqrt(2 * M_PI), 0.02);
  EXPECT_NEAR(density[100], std::exp(-0.5) / std::sqrt(2 * M_PI), 0.02);
  EXPECT_NEAR(density.sum() * 8 / 160, 1, 0.01);
}

TEST(Density2, IntegratesToOneAndKeepsXAndYApart) {
  Eigen::MatrixXd z = Normal(2, 5000);
  z.row(1) *= 3;
  const Axis x = {-5, 5, {}}, y = {-15, 15, {}};
  const Eigen::MatrixXd density = Density2(z.row(0), z.row(1), x, y, 101);
  EXPECT_NEAR(density.sum() * (10 / 100.0) * (30 / 100.0), 1, 0.01);
  // One unit off the centre is one sd of x and a third of one of y.
  EXPECT_LT(density(60, 50), 0.75 * density(50, 50));
  EXPECT_NEAR(density(50, 60), density(60, 50), 0.25 * density(60, 50));
}

TEST(HighestDensityLevel, EnclosesItsShare) {
  Eigen::MatrixXd density(2, 2);
  density << 0.5, 0.3, 0.15, 0.05;
  EXPECT_EQ(HighestDensityLevel(density, 0.5), 0.5);
  EXPECT_EQ(HighestDensityLevel(density, 0.79), 0.3);
  EXPECT_EQ(HighestDensityLevel(density, 0.9), 0.15);
}

TEST(AxisFor, LeavesOutTheOutermostAndSurvivesConstants) {
  Eigen::VectorXd x = Normal(1, 20000).row(0);
  x[0] = 1e9;
  const Axis axis = AxisFor(x);
  EXPECT_LT(axis.max, 5);
  EXPECT_GT(axis.max, 2);
  const Axis constant = AxisFor(Eigen::VectorXd::Constant(10, 3.0));
  EXPECT_LT(constant.min, 3);
  EXPECT_GT(constant.max, 3);
}

TEST(RoundTicks, AreRoundAndInside) {
  EXPECT_THAT(RoundTicks(-2.3, 2.4), ElementsAre(-2, 0, 2));
  EXPECT_THAT(RoundTicks(0.3, 11), ElementsAre(2, 4, 6, 8, 10));
}

TEST(ChooseCoordinates, TakesAllOfFewAndTheMostCorrelatedOfMany) {
  Eigen::MatrixXd z = Normal(8, 2000);
  EXPECT_THAT(ChooseCoordinates(z.topRows(3), 5), ElementsAre(0, 1, 2));
  z.row(6) += 3 * z.row(2);
  z.row(4) += 2 * z.row(6);
  EXPECT_THAT(ChooseCoordinates(z, 3), ElementsAre(2, 4, 6));
}

TEST(Correlation, OfAConstantIsZero) {
  const Eigen::VectorXd x = Normal(1, 10).row(0);
  EXPECT_NEAR(Correlation(x, -2 * x), -1, 1e-12);
  EXPECT_EQ(Correlation(x, Eigen::VectorXd::Ones(10)), 0);
}

}  // namespace
}  // namespace aisivi::cli
