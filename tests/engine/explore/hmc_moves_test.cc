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

// Of N(0, sd² I) in the metric I, after as many steps as forget where they began.
double VarianceAfter(double sd, const HmcMove& step) {
  const PointTarget target =
      GaussianTarget(Eigen::VectorXd::Zero(2), sd * sd * Eigen::MatrixXd::Identity(2, 2));
  const AnnealingBase base = MakeBase({AffineGaussian::Isotropic(2, 1)});
  ThreadPool pool(2);
  Evaluator evaluator(target, pool, nullptr);
  Population chains = Particles(target, base, 0, sd, 10'000, pool);
  HmcMove move = step;
  for (; move.number < 40; ++move.number) {
    EXPECT_TRUE(MoveChains(evaluator, base, move, &chains).ok());
  }
  return chains.z.array().square().mean();
}

// h λ of the stationary covariance Λ⁻¹ (I − h Λ/4)⁻¹, for a metric that fits and for one that does
// not. With the test the same proposals have no such bias.
TEST(HmcMovesTest, LangevinStepsHaveTheWiderLawThatIsKnown) {
  constexpr double kStep = 0.5;
  const double error = 4 * std::sqrt(2 / 20'000.0);
  for (const double sd : {1.0, 0.5}) {
    const double curvature = kStep / (sd * sd);
    const double wide = sd * sd / (1 - curvature / 4);
    HmcMove move{.step = std::sqrt(kStep), .leapfrogs = 1, .seed = 5, .metropolis = false};
    EXPECT_NEAR(VarianceAfter(sd, move), wide, error * wide);
    EXPECT_GT(wide, sd * sd * (1 + 3 * error));
    move.metropolis = true;
    EXPECT_NEAR(VarianceAfter(sd, move), sd * sd, error * sd * sd);
  }
}

TEST(HmcMovesTest, LangevinStepsTellWhatATestWouldHaveMadeOfThem) {
  const PointTarget target =
      GaussianTarget(Eigen::VectorXd::Zero(9), Eigen::MatrixXd::Identity(9, 9));
  const AnnealingBase base = MakeBase({AffineGaussian::Isotropic(9, 1)});
  ThreadPool pool(2);
  Evaluator evaluator(target, pool, nullptr);
  const Population start = Particles(target, base, 0, 1, 20'000, pool);
  Population free = start, tested = start;
  HmcMove move{.step = std::sqrt(0.1), .leapfrogs = 1, .seed = 5, .metropolis = false};
  const absl::StatusOr<double> acceptance = MoveChains(evaluator, base, move, &free);
  move.metropolis = true;
  const absl::StatusOr<double> same = MoveChains(evaluator, base, move, &tested);
  ASSERT_TRUE(acceptance.ok() && same.ok());
  EXPECT_EQ(*acceptance, *same);
  // Every one is taken, against the share that the test takes.
  EXPECT_EQ(((free.z - start.z).colwise().squaredNorm().array() > 0).count(), 20'000);
  const int64_t taken = ((tested.z - start.z).colwise().squaredNorm().array() > 0).count();
  EXPECT_NEAR(static_cast<double>(taken) / 20'000, *acceptance, 0.01);
  // 1 − h^{3/2} √D / (4 √(2π)), to first order in h.
  EXPECT_NEAR(1 - *acceptance, std::pow(0.1, 1.5) * 3 / (4 * std::sqrt(2 * M_PI)), 0.0015);
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
  for (const bool metropolis : {true, false}) {
    Population chains = Particles(target, base, 0.5, 0.01, 200, pool);
    for (uint32_t move = 0; move < 20; ++move) {
      ASSERT_TRUE(MoveChains(evaluator, base,
                             {.step = 0.7,
                              .leapfrogs = metropolis ? 4 : 1,
                              .number = move,
                              .metropolis = metropolis},
                             &chains)
                      .ok());
    }
    EXPECT_TRUE(chains.log_p.allFinite());
    EXPECT_GE(chains.z.minCoeff(), 0);
  }
}

TEST(HmcMovesTest, TheStepFollowsTheAcceptance) {
  EXPECT_EQ(AdaptedStep(0.5, 0.8), 0.5);
  EXPECT_LT(AdaptedStep(0.5, 0.3), 0.5);
  EXPECT_GT(AdaptedStep(0.5, 1), 0.5);
}

}  // namespace
}  // namespace aisivi
