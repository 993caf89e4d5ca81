#include "engine/fit/running_elbo.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <random>

#include "tests/engine/fit/testing.h"
#include "tests/engine/not_finite.h"

namespace aisivi {
namespace {

using test::kInfinity;

RunningElbo Of(const std::vector<double>& steps) {
  RunningElbo running;
  for (const double elbo : steps) AddStep(elbo, &running);
  return running;
}

TEST(RunningElboTest, IsTheMeanOfTheMiddleHalf) {
  EXPECT_TRUE(std::isnan(Value(RunningElbo())));
  EXPECT_EQ(Value(Of({-3})), -3);
  EXPECT_EQ(Value(Of({-3, -1, -2})), -2);
  EXPECT_EQ(Value(Of({7, -4, -2, -90})), -3);
  EXPECT_EQ(Value(Of({1, 2, 3, 4, 5, 6, 7, 80})), 4.5);
}

TEST(RunningElboTest, WhatIsNotKnownDoesNotCount) {
  const double unknown = std::numeric_limits<double>::quiet_NaN();
  EXPECT_TRUE(std::isnan(Value(Of({unknown, unknown}))));
  EXPECT_EQ(Value(Of({unknown, -3, unknown, -1})), -2);
}

TEST(RunningElboTest, ForgetsAfterAHundredSteps) {
  RunningElbo running = Of(std::vector<double>(1000, -50));
  for (int i = 0; i < 100; ++i) AddStep(-1, &running);
  EXPECT_EQ(Value(running), -1);
}

// An average would be 10⁴ off for a hundred steps.
TEST(RunningElboTest, OutliersMoveItByLessThanTheNoise) {
  std::mt19937_64 random(1);
  std::normal_distribution<double> noise(0, 1);
  RunningElbo clean, spoiled;
  for (int i = 0; i < 400; ++i) {
    const double elbo = -10 + noise(random);
    AddStep(elbo, &clean);
    AddStep(i == 250 ? -1e6 : i == 251 ? -kInfinity : i == 252 ? 1e9 : elbo, &spoiled);
    EXPECT_NEAR(Value(spoiled), Value(clean), 0.1) << i;
  }
}

// N((3, 3), I), but for one point of one step of training, at which p̃ is next to nothing.
class Outlier : public Target {
 public:
  int dim() const override { return 2; }
  absl::Status Evaluate(const Eigen::Ref<const Eigen::MatrixXd>& z, Eigen::VectorXd* log_density,
                        Eigen::MatrixXd* score) const override {
    const Eigen::MatrixXd x = z.array() - 3.0;
    *log_density = -0.5 * x.colwise().squaredNorm().transpose();
    if (score == nullptr) return absl::OkStatus();
    *score = -x;
    if (++steps_ == 60) (*log_density)[0] -= 1e8;
    return absl::OkStatus();
  }

 private:
  mutable std::atomic<int64_t> steps_{0};
};

TEST(RunningElboTest, ProgressSurvivesAStepThatIsFarOff) {
  const Outlier target;
  FitOptions options = test::Short(100);
  options.warm_start = "none";
  options.decay_every = 1000;  // all iterations, though little is learned in so few
  ThreadPool pool(1);
  const auto result = RunFit(target, options, pool);
  ASSERT_TRUE(result.ok()) << result.status();
  double worst_loss = 0;
  int64_t reports = 0;
  for (const FitProgress& p : result->history) {
    if (p.phase != FitPhase::kTraining) continue;
    worst_loss = std::max(worst_loss, p.loss);
    ++reports;
    EXPECT_GT(p.elbo, -12) << p.iteration;
    EXPECT_LT(p.elbo, std::log(2 * M_PI)) << p.iteration;
  }
  EXPECT_EQ(reports, 100);
  EXPECT_GT(worst_loss, 1e5);
}

}  // namespace
}  // namespace aisivi
