#include "engine/explore/base.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/engine/targets/testing.h"
#include "tests/engine/warmstart/test_targets.h"

namespace aisivi {
namespace {

AnnealingBase TwoComponents() {
  const Eigen::MatrixXd wide{{2.0, 0.0}, {0.5, 1.0}};
  return MakeBase({AffineGaussian::Isotropic(2, 0.7), {Eigen::VectorXd{{4.0, -1.0}}, wide}});
}

TEST(BaseTest, TheDensityIntegratesToOne) {
  const AnnealingBase base = TwoComponents();
  ThreadPool pool(2);
  constexpr int kSide = 800;
  constexpr double kReach = 80, kStep = 2 * kReach / kSide;
  Eigen::MatrixXd z(2, kSide * kSide);
  for (int i = 0; i < kSide * kSide; ++i) {
    z.col(i) << (i % kSide + 0.5) * kStep - kReach, (i / kSide + 0.5) * kStep - kReach;
  }
  const Eigen::ArrayXd density = LogBase(base, z, pool).array().exp();
  EXPECT_NEAR(density.sum() * kStep * kStep, 1, 2e-3);
}

TEST(BaseTest, ScoresAreGradients) {
  const AnnealingBase base = TwoComponents();
  const Eigen::MatrixXd z = test::RandomMatrix(2, 5, 3, 1);
  const Eigen::MatrixXd coefficients = test::RandomMatrix(5, 2, 1, 2);
  const auto value = [&](const Eigen::MatrixXd& at) {
    return Eigen::VectorXd(
        EvaluateBase(base, at).log_component.cwiseProduct(coefficients).rowwise().sum());
  };
  const Eigen::MatrixXd score = SumOfScores(base, EvaluateBase(base, z), coefficients);
  constexpr double kStep = 1e-5;
  for (int d = 0; d < 2; ++d) {
    Eigen::MatrixXd above = z, below = z;
    above.row(d).array() += kStep;
    below.row(d).array() -= kStep;
    const Eigen::VectorXd slope = (value(above) - value(below)) / (2 * kStep);
    EXPECT_TRUE(slope.isApprox(score.row(d).transpose(), 1e-6));
  }
}

// E_b[N(z)/b(z)] = 1 for a narrower N, whichever component it is under.
TEST(BaseTest, DrawsHaveTheDensity) {
  const AnnealingBase base = TwoComponents();
  ThreadPool pool(2);
  const PointTarget narrow =
      GaussianTarget(Eigen::VectorXd{{3.0, -1.0}}, Eigen::MatrixXd::Identity(2, 2));
  const Eigen::MatrixXd z = DrawBase(base, 1, 0, 400'000);
  const Eigen::VectorXd log_ratio = test::LogDensity(narrow, z) - LogBase(base, z, pool);
  EXPECT_NEAR(log_ratio.array().exp().mean(), 1, 0.01);
}

TEST(BaseTest, EveryComponentHasItsShareOfTheDraws) {
  std::vector<AffineGaussian> components;
  for (int k = 0; k < 12; ++k) {
    components.push_back(
        {Eigen::VectorXd::Constant(3, 100.0 * k), Eigen::MatrixXd::Identity(3, 3)});
  }
  const AnnealingBase base = MakeBase(components);
  EXPECT_EQ(base.heavy_share, 0);
  ThreadPool pool(2);
  const Eigen::MatrixXd z = DrawBase(base, 3, 2, 100);
  const Eigen::VectorXd counts = 100 * ComponentShares(base, z, pool);
  EXPECT_GE(counts.minCoeff(), 8 - 1e-9);
  EXPECT_LE(counts.maxCoeff(), 9 + 1e-9);
  EXPECT_NE(DrawBase(base, 3, 3, 100), z);
  EXPECT_EQ(DrawBase(base, 3, 2, 100), z);
}

}  // namespace
}  // namespace aisivi
