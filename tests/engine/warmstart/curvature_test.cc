#include "engine/warmstart/curvature.h"

#include <gtest/gtest.h>

#include "tests/engine/warmstart/test_targets.h"

namespace aisivi {
namespace {

TEST(CurvatureTest, MatchesTheAnalyticHessianAcrossScales) {
  // −log p̃ = ½ 1e10 a² + ½ 1e-6 b² + 0.3·10² a b + b⁴ / 1e30, around (1e-6, 5).
  const PointTarget target(2, [](const Eigen::VectorXd& z, Eigen::VectorXd* score) {
    *score << -1e10 * z[0] - 30 * z[1], -1e-6 * z[1] - 30 * z[0];
    return -0.5e10 * z[0] * z[0] - 0.5e-6 * z[1] * z[1] - 30 * z[0] * z[1];
  });
  ThreadPool pool(1);
  Evaluator evaluator(target, pool, nullptr);
  const absl::StatusOr<Eigen::MatrixXd> h = Curvature(evaluator, Eigen::Vector2d(1e-6, 5));
  ASSERT_TRUE(h.ok()) << h.status();
  EXPECT_NEAR((*h)(0, 0) / -1e10, 1, 1e-6);
  EXPECT_NEAR((*h)(1, 1) / -1e-6, 1, 1e-3);
  EXPECT_NEAR((*h)(0, 1) / -30, 1, 1e-3);
  EXPECT_EQ((*h)(0, 1), (*h)(1, 0));
}

TEST(CurvatureTest, NeighboursOutsideTheSupportAreAnError) {
  const PointTarget target(1, [](const Eigen::VectorXd& z, Eigen::VectorXd* score) {
    (*score)[0] = -1;
    return z[0] >= 0 ? -z[0] : std::nan("");
  });
  ThreadPool pool(1);
  Evaluator evaluator(target, pool, nullptr);
  EXPECT_TRUE(absl::IsOutOfRange(Curvature(evaluator, Eigen::VectorXd::Zero(1)).status()));
}

TEST(LaplaceTest, InvertsTheCurvature) {
  const Eigen::MatrixXd covariance = RandomCovariance(6, 1e6, 4);
  const absl::StatusOr<AffineGaussian> laplace =
      LaplaceGaussian(Eigen::VectorXd::Ones(6), -covariance.inverse());
  ASSERT_TRUE(laplace.ok());
  EXPECT_TRUE((laplace->scale * laplace->scale.transpose()).isApprox(covariance, 1e-8));
}

TEST(LaplaceTest, SaddlesGetAProperGaussianAndFlatOnesAnError) {
  const Eigen::Matrix2d saddle = Eigen::Vector2d(-4, 1).asDiagonal();
  const absl::StatusOr<AffineGaussian> laplace = LaplaceGaussian(Eigen::Vector2d::Zero(), saddle);
  ASSERT_TRUE(laplace.ok());
  EXPECT_NEAR(laplace->scale(0, 0), 0.5, 1e-12);
  EXPECT_NEAR(laplace->scale(1, 1), 1, 1e-12);
  EXPECT_TRUE(absl::IsFailedPrecondition(
      LaplaceGaussian(Eigen::Vector2d::Zero(), Eigen::Matrix2d::Zero()).status()));
  EXPECT_TRUE(absl::IsFailedPrecondition(
      LaplaceGaussian(Eigen::Vector2d::Zero(), Eigen::Matrix2d::Constant(NAN)).status()));
}

}  // namespace
}  // namespace aisivi
