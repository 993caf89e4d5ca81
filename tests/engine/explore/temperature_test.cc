#include "engine/explore/temperature.h"

#include <gtest/gtest.h>

#include <cmath>

#include "engine/explore/population.h"
#include "tests/engine/targets/testing.h"

namespace aisivi {
namespace {

TEST(TemperatureTest, TheStepHasTheWantedEss) {
  const Eigen::MatrixXd log_ratio = test::RandomMatrix(500, 4, 5, 1);
  const double beta = NextBeta(log_ratio, 0.1, 0.5);
  EXPECT_GT(beta, 0.1);
  EXPECT_LT(beta, 1);
  EXPECT_NEAR(MeanEss(log_ratio, beta - 0.1), 250, 1);
}

TEST(TemperatureTest, EqualWeightsGoAllTheWay) {
  EXPECT_EQ(NextBeta(Eigen::MatrixXd::Constant(10, 2, 700), 0, 0.9), 1);
}

TEST(TemperatureTest, HugeRatiosStillMove) {
  const Eigen::MatrixXd log_ratio = test::RandomMatrix(100, 4, 1e8, 1);
  EXPECT_GT(NextBeta(log_ratio, 0.2, 0.5), 0.2);
}

TEST(TemperatureTest, ParticlesWithoutWeightDoNotStopIt) {
  Eigen::MatrixXd log_ratio = test::RandomMatrix(100, 3, 5, 2);
  log_ratio.topRows(95).setConstant(kNoWeight);
  log_ratio.col(2).setConstant(kNoWeight);
  const double beta = NextBeta(log_ratio, 0, 0.5);
  EXPECT_GT(beta, 1e-3);
  EXPECT_NEAR(MeanEss(log_ratio, beta), 2.5, 0.1);
  const Eigen::VectorXd mean = LogMeanWeights(log_ratio, beta);
  EXPECT_NEAR(mean[0], std::log((beta * log_ratio.col(0).array()).exp().mean()), 1e-12);
  EXPECT_EQ(mean[2], kNoWeight);
}

}  // namespace
}  // namespace aisivi
