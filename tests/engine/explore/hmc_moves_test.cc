#include "engine/explore/hmc_moves.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "tests/engine/targets/testing.h"
#include "tests/engine/warmstart/test_targets.h"

namespace aisivi {
namespace {

// Particles of N(m, sd² I), evaluated.
Population Particles(const Target& target, const AnnealingBase& base, double mean, double sd,
                     int count, ThreadPool& pool) {
  Population chains;
  chains.z = test::RandomMatrix(target.dim(), count, sd, 1).array() + mean;
  EXPECT_TRUE(target.Evaluate(chains.z, &chains.log_p, &chains.score).ok());
  chains.log_base = LogBase(base, chains.z, pool);
  return chains;
}

// Components of very different scale that overlap: the law of exact draws must not change.
TEST(HmcMovesTest, LeavesTheTargetInvariant) {
  const PointTarget target =
      GaussianTarget(Eigen::VectorXd::Constant(2, 1), Eigen::MatrixXd::Identity(2, 2));
  const AnnealingBase base =
      MakeBase({AffineGaussian::Isotropic(2, 0.5),
                {Eigen::VectorXd::Constant(2, 2), 2 * Eigen::MatrixXd::Identity(2, 2)}});
  ThreadPool pool(2);
  Evaluator evaluator(target, pool, nullptr);
  constexpr int kCount = 20'000;
  Population chains = Particles(target, base, 1, 1, kCount, pool);
  const Eigen::MatrixXd before = chains.z;
  for (uint32_t move = 0; move < 6; ++move) {
    const absl::StatusOr<double> acceptance =
        MoveChains(evaluator, base,
                   {.beta = 1, .step = 0.8, .leapfrogs = 2, .seed = 3, .number = move}, &chains);
    ASSERT_TRUE(acceptance.ok());
    EXPECT_GT(*acceptance, 0.3);
  }
  EXPECT_GT((chains.z - before).cwiseAbs().mean(), 0.5);
  const double error = 4 / std::sqrt(2.0 * kCount);
  EXPECT_NEAR(chains.z.mean(), 1, error);
  EXPECT_NEAR((chains.z.array() - 1).square().mean(), 1, 1.5 * error);
  EXPECT_NEAR((chains.z.array() - 1).pow(4).mean(), 3, 10 * error);
  EXPECT_TRUE(chains.log_p.isApprox(test::LogDensity(target, chains.z), 1e-12));
  EXPECT_TRUE(chains.log_base.isApprox(LogBase(base, chains.z, pool), 1e-12));
}

TEST(HmcMovesTest, WhatCannotBeEvaluatedIsNotTaken) {
  const PointTarget target(1, [](const Eigen::VectorXd& z, Eigen::VectorXd* score) {
    *score = -z;
    if (z[0] > 1) (*score)[0] = 1e300;
    return z[0] < 0 ? std::numeric_limits<double>::quiet_NaN() : -0.5 * z.squaredNorm();
  });
  const AnnealingBase base = MakeBase({AffineGaussian::Isotropic(1, 1)});
  ThreadPool pool(2);
  Evaluator evaluator(target, pool, nullptr);
  Population chains = Particles(target, base, 0.5, 0.01, 200, pool);
  for (uint32_t move = 0; move < 20; ++move) {
    ASSERT_TRUE(
        MoveChains(evaluator, base, {.step = 0.7, .leapfrogs = 4, .number = move}, &chains).ok());
  }
  EXPECT_TRUE(chains.log_p.allFinite());
  EXPECT_GE(chains.z.minCoeff(), 0);
}

TEST(HmcMovesTest, TheStepFollowsTheAcceptance) {
  EXPECT_EQ(AdaptedStep(0.5, 0.8), 0.5);
  EXPECT_LT(AdaptedStep(0.5, 0.3), 0.5);
  EXPECT_GT(AdaptedStep(0.5, 1), 0.5);
}

}  // namespace
}  // namespace aisivi
