#include "client/experiments/logistic_density.h"

#include <gtest/gtest.h>

#include <cmath>

namespace aisivi::experiments {
namespace {

TEST(LogisticDensity, KnownValues) {
  LogisticData data;
  data.x = Eigen::MatrixXd(2, 2);
  data.x << 1, 2,  //
      1, -3;
  data.y = Eigen::VectorXd(2);
  data.y << 1, 0;
  data.prior_precision = 0.5;
  Eigen::MatrixXd z(2, 2);
  z << 0, 0.3,  //
      0, -0.2;
  const Eigen::VectorXd value = LogisticLogDensity(data, z);
  const double constant = std::log(0.5 / (2 * M_PI));
  EXPECT_NEAR(value[0], -2 * std::log(2.0) + constant, 1e-12);
  // Linear predictors −0.1 and 0.9.
  EXPECT_NEAR(value[1],
              -std::log1p(std::exp(0.1)) - std::log1p(std::exp(0.9)) - 0.25 * 0.13 + constant,
              1e-12);
}

TEST(LogisticDensity, LargePredictorsDoNotOverflow) {
  LogisticData data;
  data.x = Eigen::MatrixXd::Constant(1, 1, 1);
  data.y = Eigen::VectorXd::Zero(1);
  const Eigen::MatrixXd z = Eigen::MatrixXd::Constant(1, 1, 1e4);
  EXPECT_NEAR(LogisticLogDensity(data, z)[0],
              -1e4 - 0.005 * 1e8 + 0.5 * std::log(0.01 / (2 * M_PI)), 1e-6);
}

}  // namespace
}  // namespace aisivi::experiments
