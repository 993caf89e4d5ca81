#include "engine/warmstart/affine_gaussian.h"

#include <gtest/gtest.h>

#include <limits>

#include "tests/engine/warmstart/test_targets.h"

namespace aisivi {
namespace {

TEST(AffineGaussianTest, LowerFactorKeepsTheProduct) {
  Eigen::MatrixXd m(3, 5);
  m << 1, 2, -3, 4, 5,  //
      -2, 1, 0, 7, 1,   //
      3, 3, 3, -1, 2;
  const Eigen::MatrixXd lower = LowerFactor(m);
  ASSERT_EQ(lower.rows(), 3);
  ASSERT_EQ(lower.cols(), 3);
  EXPECT_TRUE(lower.isLowerTriangular(1e-15));
  EXPECT_GT(lower.diagonal().minCoeff(), 0);
  EXPECT_TRUE((lower * lower.transpose()).isApprox(m * m.transpose(), 1e-13));
}

TEST(AffineGaussianTest, ComposeIsTheMapAfterTheMap) {
  const AffineGaussian outer{Eigen::Vector2d(1, 2), (Eigen::Matrix2d() << 2, 0, 1, 3).finished()};
  const Eigen::Matrix2d factor = (Eigen::Matrix2d() << 0.5, -0.2, 0.3, 1).finished();
  const AffineGaussian inner = Compose(outer, Eigen::Vector2d(0.1, -0.4), factor);
  EXPECT_TRUE(inner.mean.isApprox(Eigen::Vector2d(1.2, 0.9), 1e-14));
  const Eigen::Matrix2d product = outer.scale * factor;
  EXPECT_TRUE((inner.scale * inner.scale.transpose()).isApprox(product * product.transpose()));
}

TEST(AffineGaussianTest, MatchedNormalsHaveExactMoments) {
  const Eigen::MatrixXd x = MatchedNormals(3, DrawStream::kCompare, 0, 10, 64);
  ASSERT_EQ(x.cols(), 64);
  EXPECT_LT(x.rowwise().mean().norm(), 1e-14);
  EXPECT_TRUE((x * x.transpose() / 64).isApprox(Eigen::MatrixXd::Identity(10, 10), 1e-12));
  EXPECT_EQ(x.col(0), -x.col(32));
}

TEST(AffineGaussianTest, MatchedNormalsWithFewPairsKeepUnitVariances) {
  const Eigen::MatrixXd x = MatchedNormals(3, DrawStream::kCompare, 0, 40, 16);
  EXPECT_LT(x.rowwise().mean().norm(), 1e-14);
  for (int64_t i = 0; i < 40; ++i) EXPECT_NEAR(x.row(i).squaredNorm() / 16, 1, 1e-12);
}

TEST(AffineGaussianTest, StreamsAndIndicesDiffer) {
  const Eigen::MatrixXd a = Normals(1, DrawStream::kCompare, 0, 3, 4);
  EXPECT_EQ(a, Normals(1, DrawStream::kCompare, 0, 3, 4));
  EXPECT_NE(a, Normals(1, DrawStream::kCompare, 1, 3, 4));
  EXPECT_NE(a, Normals(1, DrawStream::kStarts, 0, 3, 4));
  EXPECT_NE(a, Normals(2, DrawStream::kCompare, 0, 3, 4));
}

TEST(AffineGaussianTest, ReasonableMeansFiniteAndNeitherHugeNorTiny) {
  AffineGaussian gaussian = AffineGaussian::Isotropic(2, 1);
  EXPECT_TRUE(IsReasonable(gaussian));
  EXPECT_FALSE(IsReasonable(AffineGaussian::Isotropic(2, 1e9)));
  EXPECT_FALSE(IsReasonable(AffineGaussian::Isotropic(2, 1e-13)));
  gaussian.mean[1] = std::numeric_limits<double>::quiet_NaN();
  EXPECT_FALSE(IsReasonable(gaussian));
}

}  // namespace
}  // namespace aisivi
