#include "engine/warmstart/lbfgs.h"

#include <gtest/gtest.h>

#include "tests/engine/not_finite.h"
#include "tests/engine/warmstart/test_targets.h"

namespace aisivi {
namespace {

using test::kNan;

std::vector<ModeSearch> Find(const Target& target, const Eigen::MatrixXd& starts,
                             const LbfgsOptions& options = {}) {
  ThreadPool pool(2);
  Evaluator evaluator(target, pool, nullptr);
  absl::StatusOr<std::vector<ModeSearch>> modes = FindModes(evaluator, starts, options);
  EXPECT_TRUE(modes.ok()) << modes.status();
  return *std::move(modes);
}

TEST(LbfgsTest, EveryStartReachesTheModeOfAnIllConditionedGaussian) {
  const Eigen::VectorXd mean = Eigen::VectorXd::LinSpaced(20, -3, 3);
  const Eigen::MatrixXd covariance = RandomCovariance(20, 1e4, 1);
  const PointTarget target = GaussianTarget(mean, covariance);
  for (const ModeSearch& mode : Find(target, Normals(1, DrawStream::kStarts, 0, 20, 6) * 5)) {
    EXPECT_EQ(mode.end, SearchEnd::kConverged);
    const Eigen::VectorXd offset = mode.z - mean;
    EXPECT_LT(offset.dot(covariance.llt().solve(offset)), 1e-2);
  }
}

TEST(LbfgsTest, FollowsRosenbrocksValley) {
  const PointTarget target(2, [](const Eigen::VectorXd& z, Eigen::VectorXd* score) {
    const double a = 1 - z[0], b = z[1] - z[0] * z[0];
    *score << 2 * a + 400 * b * z[0], -200 * b;
    return -a * a - 100 * b * b;
  });
  const std::vector<ModeSearch> modes = Find(target, Eigen::Vector2d(-1.2, 1));
  EXPECT_EQ(modes[0].end, SearchEnd::kConverged);
  EXPECT_NEAR(modes[0].z[0], 1, 2e-2);
  EXPECT_GT(modes[0].log_density, -1e-5);
}

TEST(LbfgsTest, BacksAwayFromPointsThatCannotBeEvaluated) {
  // log p̃ = log z − z, NaN for z ≤ 0; mode 1.
  const PointTarget target(1, [](const Eigen::VectorXd& z, Eigen::VectorXd* score) {
    (*score)[0] = 1 / z[0] - 1;
    return z[0] > 0 ? std::log(z[0]) - z[0] : kNan;
  });
  const Eigen::RowVector3d starts(0.001, 30, -1);
  const std::vector<ModeSearch> modes = Find(target, starts);
  EXPECT_NEAR(modes[0].z[0], 1, 1e-2);
  EXPECT_NEAR(modes[1].z[0], 1, 1e-2);
  EXPECT_EQ(modes[2].end, SearchEnd::kNotFinite);
  EXPECT_EQ(modes[2].z[0], -1);
}

TEST(LbfgsTest, UnboundedAndFlatTargetsEnd) {
  const PointTarget slope(2, [](const Eigen::VectorXd& z, Eigen::VectorXd* score) {
    *score << 1, 2;
    return z[0] + 2 * z[1];
  });
  EXPECT_EQ(Find(slope, Eigen::Vector2d(0, 0))[0].end, SearchEnd::kUnbounded);
  const PointTarget bowl(2, [](const Eigen::VectorXd& z, Eigen::VectorXd* score) {
    *score = 2 * z;
    return z.squaredNorm();
  });
  EXPECT_EQ(Find(bowl, Eigen::Vector2d(0.1, 0))[0].end, SearchEnd::kUnbounded);
  const PointTarget flat(2, [](const Eigen::VectorXd&, Eigen::VectorXd* score) {
    score->setZero();
    return -1.0;
  });
  const std::vector<ModeSearch> modes = Find(flat, Eigen::Vector2d(3, 4));
  EXPECT_EQ(modes[0].end, SearchEnd::kConverged);
  EXPECT_EQ(modes[0].z, Eigen::Vector2d(3, 4));
  EXPECT_LE(flat.evaluations(), 2);
}

TEST(LbfgsTest, IterationsAreBounded) {
  // A score unrelated to the density: no line search can succeed for long.
  const PointTarget liar(2, [](const Eigen::VectorXd& z, Eigen::VectorXd* score) {
    *score << std::sin(100 * z[1]), std::cos(70 * z[0]);
    return -z.squaredNorm();
  });
  Find(liar, Normals(1, DrawStream::kStarts, 0, 2, 4), {.max_iterations = 50});
  EXPECT_LT(liar.evaluations(), 4 * 50 * 41);
}

// Noise as a solver's tolerance makes it: line searches bisect, and hardly anything is gained.
TEST(LbfgsTest, NoiseCostsABoundedNumberOfEvaluations) {
  const PointTarget noisy(2, [](const Eigen::VectorXd& z, Eigen::VectorXd* score) {
    *score << -1e-3, -1e-3;
    return -1e-3 * (z[0] + z[1]) + 1e-2 * std::sin(1e7 * z[0]) * std::sin(1e7 * z[1]);
  });
  Find(noisy, Eigen::Vector2d(0.3, 0.1), {.max_iterations = 10'000, .max_evaluations = 200});
  // The line search under way ends first.
  EXPECT_LE(noisy.evaluations(), 200 + 41);
  EXPECT_GE(noisy.evaluations(), 200);
}

}  // namespace
}  // namespace aisivi
