// What a fit does after many steps in a row that were not finite.
#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <limits>

#include "absl/strings/match.h"
#include "absl/strings/str_join.h"
#include "tests/engine/fit/testing.h"

namespace aisivi {
namespace {

// N((3, 3), I) whose evaluations with a score, which are the steps of training, fail from number
// `first` to `last`.
class Interrupted : public Target {
 public:
  Interrupted(int64_t first, int64_t last) : first_(first), last_(last) {}
  int dim() const override { return 2; }
  absl::Status Evaluate(const Eigen::Ref<const Eigen::MatrixXd>& z, Eigen::VectorXd* log_density,
                        Eigen::MatrixXd* score) const override {
    const Eigen::MatrixXd x = z.array() - 3.0;
    *log_density = -0.5 * x.colwise().squaredNorm().transpose();
    if (score == nullptr) return absl::OkStatus();
    *score = -x;
    const int64_t call = ++calls_;
    if (call < first_ || call > last_) return absl::OkStatus();
    log_density->setConstant(std::numeric_limits<double>::quiet_NaN());
    return absl::OkStatus();
  }

 private:
  const int64_t first_, last_;
  mutable std::atomic<int64_t> calls_{0};
};

double LossAt(const FitResult& result, int64_t iteration) {
  for (const FitProgress& p : result.history) {
    if (p.phase == FitPhase::kTraining && p.iteration == iteration) return p.loss;
  }
  return kNotAvailable;
}

double MeanFlowLoss(const FitResult& result, FitPhase phase, int64_t first, int64_t last) {
  double sum = 0;
  int64_t count = 0;
  for (const FitProgress& p : result.history) {
    if (p.phase != phase || p.iteration < first || p.iteration > last) continue;
    sum += p.flow_loss;
    ++count;
  }
  return sum / static_cast<double>(count);
}

FitOptions PublishedXShaped(int64_t iterations) {
  FitOptions options = *FindPreset("aisivi_x_shaped");
  options.iterations = iterations;
  options.points = 32;  // one evaluation each step
  options.inner_samples = 32;
  options.evidence_draws = 256;
  options.evidence_inner_samples = 32;
  return options;
}

// Twenty failed steps after the check of step 240, the twelfth of fifteen.
TEST(BackOffTest, APublishedScheduleGoesBackToItsBestStateNotToTheStart) {
  const Interrupted target(250, 269);
  const FitOptions options = PublishedXShaped(320);
  ThreadPool pool(1);
  const auto result = RunFit(target, options, pool);
  ASSERT_TRUE(result.ok()) << result.status();
  ASSERT_TRUE(absl::StrContains(absl::StrJoin(result->log, "\n"), "back to the best state"));
  EXPECT_EQ(result->last.skipped_steps, 20);
  const double untrained = LossAt(*result, 1), before = LossAt(*result, 249),
               after = LossAt(*result, 270);
  EXPECT_LT(before, untrained - 2);
  EXPECT_NEAR(after, before, 0.5 * (untrained - before));
}

// Twenty failed steps between two checks, of steps 225 and 250: what the two steps since the first
// of them saw says nothing of the result.
TEST(BackOffTest, StepsThatWereGivenUpAreNotOfTheResult) {
  const Interrupted target(228, 247);
  ThreadPool pool(1);
  const auto result = RunFit(target, PublishedXShaped(400), pool);
  ASSERT_TRUE(result.ok()) << result.status();
  ASSERT_EQ(result->last.skipped_steps, 20);
  int64_t given_up = 0;
  for (const FitProgress& p : result->history) {
    if (p.phase != FitPhase::kTraining || p.iteration <= 225) continue;
    EXPECT_EQ(p.of_result, p.iteration > 247) << p.iteration;
    given_up += p.of_result ? 0 : 1;
  }
  EXPECT_EQ(given_up, 2);
}

// Before the first check there is no better state than the start, but its flow has been pretrained.
TEST(BackOffTest, PretrainingIsNotLost) {
  const Interrupted target(3, 22);
  FitOptions options = PublishedXShaped(400);  // the first check comes after 25 steps
  options.learning_rate = 0;
  options.sigma_scale = 0.01;  // x nearly tells ε: there is something to learn
  options.flow_learning_rate = 0.02;
  options.flow_pretrain_iterations = 500;
  ThreadPool pool(1);
  const auto result = RunFit(target, options, pool);
  ASSERT_TRUE(result.ok()) << result.status();
  const double first = MeanFlowLoss(*result, FitPhase::kFlowPretraining, 1, 20);
  const double pretrained = MeanFlowLoss(*result, FitPhase::kFlowPretraining, 451, 500);
  const double after = MeanFlowLoss(*result, FitPhase::kTraining, 23, 42);
  ASSERT_LT(pretrained, first - 0.2);
  EXPECT_LT(after, 0.5 * (first + pretrained));
}

}  // namespace
}  // namespace aisivi
