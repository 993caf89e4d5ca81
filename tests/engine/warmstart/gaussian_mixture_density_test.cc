#include "engine/warmstart/gaussian_mixture_density.h"

#include <gtest/gtest.h>

#include "tests/engine/warmstart/test_targets.h"

namespace aisivi {
namespace {

AffineMixture ThreeComponents() {
  AffineMixture mixture;
  mixture.log_weights = Eigen::Vector3d(0.2, 0.5, 0.3).array().log();
  for (uint32_t k = 0; k < 3; ++k) {
    mixture.components.push_back(
        {Eigen::VectorXd::Constant(3, 1.5 * k - 1), LowerFactor(RandomCovariance(3, 4, k + 1))});
  }
  return mixture;
}

TEST(MixtureDensityTest, ScoreIsTheGradient) {
  const AffineMixture mixture = ThreeComponents();
  ThreadPool pool(2);
  const Eigen::MatrixXd z = 2 * Normals(1, DrawStream::kCompare, 0, 3, 100);
  Eigen::VectorXd log_q, above, below;
  Eigen::MatrixXd score;
  MixtureDensity(mixture, z, pool, &log_q, &score);
  for (int64_t d = 0; d < 3; ++d) {
    Eigen::MatrixXd shifted = z;
    shifted.row(d).array() += 1e-5;
    MixtureDensity(mixture, shifted, pool, &above, nullptr);
    shifted.row(d).array() -= 2e-5;
    MixtureDensity(mixture, shifted, pool, &below, nullptr);
    EXPECT_LT(((above - below) / 2e-5 - score.row(d).transpose()).cwiseAbs().maxCoeff(), 1e-6);
  }
}

TEST(MixtureDensityTest, AgreesWithAnIndependentFormula) {
  AffineMixture mixture;
  mixture.log_weights = Eigen::Vector2d(0.3, 0.7).array().log();
  Eigen::Matrix2d centres;
  centres << 0, 3, 1, -2;
  for (int k = 0; k < 2; ++k) {
    mixture.components.push_back({centres.col(k), 0.5 * Eigen::Matrix2d::Identity()});
  }
  const PointTarget target = SphereMixtureTarget(Eigen::Vector2d(0.3, 0.7), centres, 0.5);
  const Eigen::MatrixXd z = 3 * Normals(1, DrawStream::kCompare, 0, 2, 70);
  ThreadPool pool(1);
  Eigen::VectorXd log_q, expected;
  Eigen::MatrixXd score, expected_score;
  MixtureDensity(mixture, z, pool, &log_q, &score);
  ASSERT_TRUE(target.Evaluate(z, &expected, &expected_score).ok());
  EXPECT_TRUE(log_q.isApprox(expected, 1e-12));
  EXPECT_TRUE(score.isApprox(expected_score, 1e-10));
}

TEST(MixtureDensityTest, MomentMatchOfTwo) {
  AffineMixture mixture;
  mixture.log_weights = Eigen::Vector2d(0.25, 0.75).array().log();
  mixture.components = {AffineGaussian::Isotropic(1, 1), AffineGaussian::Isotropic(1, 2)};
  mixture.components[1].mean[0] = 4;
  const AffineGaussian merged = MomentMatch(mixture, {0, 1});
  EXPECT_NEAR(merged.mean[0], 3, 1e-14);
  // E[var] + var of the means = (¼·1 + ¾·4) + ¾·¼·16.
  EXPECT_NEAR(merged.scale(0, 0) * merged.scale(0, 0), 6.25, 1e-13);
}

TEST(MixtureDensityTest, BhattacharyyaDistance) {
  const AffineGaussian a = AffineGaussian::Isotropic(2, 1);
  AffineGaussian b = a;
  EXPECT_NEAR(BhattacharyyaDistance(a, b), 0, 1e-14);
  b.mean << 4, 0;
  EXPECT_NEAR(BhattacharyyaDistance(a, b), 2, 1e-13);
  // ½ log(det((1+9)/2 I) / (1·9)) for sds 1 and 3 in two dimensions: log(5/3).
  EXPECT_NEAR(BhattacharyyaDistance(a, AffineGaussian::Isotropic(2, 3)), std::log(5.0 / 3), 1e-13);
}

}  // namespace
}  // namespace aisivi
