#include "engine/methods/point_gradients.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "tests/engine/fit/testing.h"

namespace aisivi {
namespace {

using test::TwoComponents;

TEST(PointGradientsTest, AreWhitenedAndShortened) {
  ModelState model = TwoComponents();
  model.components[1].affine.scale << 2, 0, 1, 3;
  MarginalEstimate marginal;
  marginal.log_q = Eigen::VectorXd::Constant(4, 1);
  marginal.ess = Eigen::VectorXd::Constant(4, 0.5);
  marginal.score.resize(2, 4);
  marginal.score << 1, 1000, 1, 1,  //
      2, 0, 2, 2;
  Eigen::VectorXd log_p = Eigen::VectorXd::Zero(4);
  log_p[3] = -std::numeric_limits<double>::infinity();
  TypicalLength typical;
  PointGradients gradients;
  MakePointGradients(model, marginal, log_p, Eigen::MatrixXd::Zero(2, 4), &typical, &gradients);
  EXPECT_EQ(gradients.finite, 3);
  EXPECT_DOUBLE_EQ(gradients.loss, 1);
  EXPECT_DOUBLE_EQ(gradients.ess, 0.5);
  // Aᵀ (1, 2) = (1, 2) and (4, 6); each component has two points.
  EXPECT_DOUBLE_EQ(gradients.median_residual, 52);
  EXPECT_FLOAT_EQ(gradients.grad_x(0, 0), 0.5f);
  EXPECT_FLOAT_EQ(gradients.grad_x(1, 0), 1);
  EXPECT_FLOAT_EQ(gradients.grad_x(0, 2), 2);
  EXPECT_FLOAT_EQ(gradients.grad_x(1, 2), 3);
  EXPECT_FLOAT_EQ(gradients.grad_x(0, 1), static_cast<float>(30 * std::sqrt(2.0) / 2));
  EXPECT_TRUE(gradients.grad_x.col(3).isZero(0));
}

TEST(PointGradientsTest, TheNoiseOfTheScoreIsHalfOfTheDifferenceOfTwo) {
  const ModelState model = TwoComponents();
  Eigen::MatrixXd a = Eigen::MatrixXd::Zero(2, 4), b = a;
  b.row(0) << 1, 2, 3, std::numeric_limits<double>::quiet_NaN();
  PointGradients gradients;
  EXPECT_DOUBLE_EQ(ScoreNoise(model, a, b, &gradients), 0.5 * 4);
}

}  // namespace
}  // namespace aisivi
