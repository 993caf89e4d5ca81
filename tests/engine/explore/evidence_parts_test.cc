// multistate.h, island_evidence.h and draw_pool.h.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "engine/explore/draw_pool.h"
#include "engine/explore/island_evidence.h"
#include "engine/explore/multistate.h"
#include "tests/engine/targets/testing.h"

namespace aisivi {
namespace {

// b = N(0, 1), p̃ = 7 N(1, ½²): π_β is normal with precision 1 + 3β and mean 4β/(1 + 3β).
TEST(MultistateTest, GaussianPath) {
  const Eigen::VectorXd beta{{0, 0.3, 1}};
  constexpr int kCount = 20'000;
  Eigen::MatrixXd ratio(kCount, 3);
  for (int s = 0; s < 3; ++s) {
    const double precision = 1 + 3 * beta[s], mean = 4 * beta[s] / precision;
    const Eigen::ArrayXd z =
        test::RandomMatrix(kCount, 1, 1 / std::sqrt(precision), s + 1).array() + mean;
    ratio.col(s) = std::log(7.0) + std::log(2.0) - 2 * (z - 1).square() + 0.5 * z.square();
  }
  EXPECT_NEAR(MultistateLogZ(ratio, beta, Eigen::VectorXd::Zero(3)), std::log(7.0), 0.02);
}

// Uniform on (0, 2) under a base that is uniform on (0, 4).
TEST(MultistateTest, ParticlesOutsideOfTheSupport) {
  Eigen::MatrixXd ratio(1000, 2);
  ratio.col(0).head(500).setConstant(-std::numeric_limits<double>::infinity());
  ratio.col(0).tail(500).setConstant(std::log(2.0));
  ratio.col(1).setConstant(std::log(2.0));
  const Eigen::VectorXd beta{{0, 1}}, start = Eigen::VectorXd::Zero(2);
  EXPECT_NEAR(MultistateLogZ(ratio, beta, start), 0, 1e-4);
}

TEST(IslandEvidenceTest, SpreadAndDisagreement) {
  const Eigen::VectorXd sequential = Eigen::VectorXd{{1.0, 2.0, 3.0, 2.0}}.array().log() - 50;
  const Eigen::VectorXd same = Eigen::VectorXd::Constant(4, std::log(2.0) - 50);
  const IslandEvidence agree = CombineIslands(sequential, same);
  EXPECT_NEAR(agree.log_z, std::log(2.0) - 50, 1e-12);
  const double spread = std::sqrt(2.0 / 3 / 4) / 2 * 3.182 / 1.96;
  EXPECT_NEAR(agree.standard_error, spread, 1e-3);
  const IslandEvidence differ = CombineIslands(sequential, same.array() + 0.7);
  EXPECT_NEAR(differ.standard_error, std::hypot(spread, 0.7), 1e-3);
}

TEST(IslandEvidenceTest, IslandsThatMetNothing) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const Eigen::VectorXd one{{-kInfinity, 0, -kInfinity, -kInfinity}};
  EXPECT_NEAR(CombineIslands(one, one).log_z, -std::log(4.0), 1e-12);
  EXPECT_GT(CombineIslands(one, one).standard_error, 1);
  const Eigen::VectorXd none = Eigen::VectorXd::Constant(4, -kInfinity);
  EXPECT_EQ(CombineIslands(none, none).standard_error, kInfinity);
}

AnnealedIslands Round(int64_t islands, int64_t particles, double value,
                      const Eigen::VectorXd& log_z) {
  AnnealedIslands round;
  round.particles = UndefinedPopulation(1, islands * particles);
  round.particles.z.setConstant(value);
  round.particles.log_p.setConstant(value);
  round.log_z = log_z;
  return round;
}

TEST(DrawPoolTest, WeighsRoundsByTheirEvidence) {
  DrawPool pool;
  AddRound(Round(2, 64, 1, Eigen::VectorXd{{0.0, kNoWeight}}), 1000, &pool);
  AddRound(Round(2, 64, 2, Eigen::VectorXd{{std::log(2.0), std::log(3.0)}}), 1000, &pool);
  EXPECT_EQ(pool.size(), 3 * 64);
  const EqualDraws draws = ResamplePool(pool, 60, 0.5);
  ASSERT_EQ(draws.z.cols(), 60);
  EXPECT_NEAR((draws.z.array() == 1).count(), 10, 1);
  EXPECT_EQ(draws.z.row(0), draws.log_p.transpose());
}

TEST(DrawPoolTest, ThinsAllAlike) {
  DrawPool pool;
  for (int r = 0; r < 3; ++r) AddRound(Round(4, 64, r, Eigen::VectorXd::Zero(4)), 256, &pool);
  EXPECT_LE(pool.size(), 256);
  EXPECT_EQ(pool.stride, 4);
  for (const Eigen::MatrixXd& island : DrawsByIsland(pool, 4, 1)) EXPECT_EQ(island.cols(), 48);
}

TEST(DrawPoolTest, IslandsOfIndependentDrawsHaveTheirNumberAsEss) {
  std::vector<Eigen::MatrixXd> islands;
  for (int i = 0; i < 8; ++i) islands.push_back(test::RandomMatrix(40, 500, 3, i + 1));
  EXPECT_NEAR(IslandEss(islands) / 4000, 1, 0.3);
  islands.resize(1);
  EXPECT_TRUE(std::isnan(IslandEss(islands)));
}

}  // namespace
}  // namespace aisivi
