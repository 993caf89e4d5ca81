#include "engine/fit/fit.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_join.h"
#include "tests/engine/fit/testing.h"

namespace aisivi {
namespace {

using test::Make;
using test::Short;

// A fit that ended as it should: finite evidence of a model that can be drawn from.
void ExpectFinished(const FitResult& result) {
  EXPECT_TRUE(result.reason == TerminationReason::kIterationLimit ||
              result.reason == TerminationReason::kConverged)
      << static_cast<int>(result.reason);
  EXPECT_FALSE(result.message.empty());
  ASSERT_NE(result.model, nullptr);
  EXPECT_TRUE(std::isfinite(result.evidence.log_z));
  EXPECT_TRUE(std::isfinite(result.evidence.elbo_lower));
  EXPECT_TRUE(std::isfinite(result.evidence.elbo_upper));
  EXPECT_TRUE(std::isfinite(result.evidence.standard_error));
  EXPECT_EQ(result.last.phase, FitPhase::kDone);
}

FitResult FitWell(const Target& target, int64_t iterations, const char* warm_start) {
  ThreadPool pool(2);
  FitOptions options = Short(iterations);
  options.warm_start = warm_start;
  options.evidence_draws = 4096;
  options.evidence_inner_samples = 256;
  const auto result = RunFit(target, options, pool);
  EXPECT_TRUE(result.ok()) << result.status();
  return *result;
}

class TrainingTest : public ::testing::TestWithParam<const char*> {};

// The best Gaussian is 0.2 to 0.7 nats short of log Z = 0; a short training closes most of that.
TEST_P(TrainingTest, AShortTrainingClosesTheGapOfTheBestGaussian) {
  const auto target = Make(GetParam());
  const FitResult start = FitWell(*target, 0, "gaussian");
  const FitResult result = FitWell(*target, 400, "gaussian");
  ExpectFinished(start);
  ExpectFinished(result);
  ASSERT_LT(start.evidence.elbo_lower, -0.2);
  EXPECT_GT(result.evidence.elbo_lower, 0.15 * start.evidence.elbo_lower);
  EXPECT_LT(result.evidence.elbo_lower, 4 * result.evidence.elbo_lower_se);
  EXPECT_NEAR(result.evidence.log_z, 0, 4 * result.evidence.standard_error);
  EXPECT_LT(result.evidence.standard_error, 0.1);
}

INSTANTIATE_TEST_SUITE_P(Targets, TrainingTest,
                         ::testing::Values("banana", "multimodal", "x_shaped"),
                         [](const auto& info) { return std::string(info.param); });

// Splines close the gap of a banana as affine couplings do.
TEST(CouplingKindsTest, SplinesTrainLikeAffineCouplings) {
  const auto target = Make("banana");
  ThreadPool pool(2);
  std::vector<double> gap;
  for (const char* coupling : {"affine", "spline"}) {
    FitOptions options = Short(300);
    options.warm_start = "gaussian";
    options.coupling = coupling;
    options.evidence_draws = 2048;
    options.evidence_inner_samples = 64;
    const auto result = RunFit(*target, options, pool);
    ASSERT_TRUE(result.ok()) << result.status();
    ExpectFinished(*result);
    EXPECT_NEAR(result->evidence.log_z, 0, 4 * result->evidence.standard_error) << coupling;
    gap.push_back(-result->evidence.elbo_lower);  // log Z = 0
  }
  EXPECT_LT(gap[0], 0.12);
  EXPECT_LT(gap[1], 0.12);
  EXPECT_NEAR(gap[1], gap[0], 0.05);
}

class ExactStartTest : public ::testing::TestWithParam<const char*> {};

// These are mixtures of the Gaussians that a start is made of.
TEST_P(ExactStartTest, NothingIsLeftToTrain) {
  const auto target = Make(GetParam());
  const FitResult result = FitWell(*target, 400, "auto");
  ExpectFinished(result);
  EXPECT_EQ(result.reason, TerminationReason::kConverged);
  EXPECT_NEAR(result.evidence.elbo_lower, 0, 0.001);
  EXPECT_NEAR(result.evidence.log_z, 0, 0.001);
}

INSTANTIATE_TEST_SUITE_P(Targets, ExactStartTest, ::testing::Values("gaussian", "multimodal"),
                         [](const auto& info) { return std::string(info.param); });

TEST(FitTest, SameBitsAtAnyThreadCount) {
  for (const char* method : {"aisivi", "bsivi"}) {
    for (const char* name : {"banana", "multimodal"}) {
      const auto target = Make(name);
      FitOptions options = Short(12);
      options.method = method;
      options.flow_pretrain_iterations = 2;
      std::string bytes;
      EvidenceEstimate evidence;
      for (const int threads : {1, 2, 3}) {
        ThreadPool pool(threads);
        const auto result = RunFit(*target, options, pool);
        ASSERT_TRUE(result.ok()) << result.status();
        ASSERT_NE(result->model, nullptr);
        if (threads == 1) {
          bytes = result->model->Serialize();
          evidence = result->evidence;
          continue;
        }
        EXPECT_EQ(result->model->Serialize(), bytes) << method << " " << threads;
        EXPECT_EQ(result->evidence.log_z, evidence.log_z) << method << " " << threads;
        EXPECT_EQ(result->evidence.elbo_lower, evidence.elbo_lower) << method << " " << threads;
        EXPECT_EQ(result->evidence.elbo_upper, evidence.elbo_upper) << method << " " << threads;
        EXPECT_EQ(result->evidence.pareto_k, evidence.pareto_k) << method << " " << threads;
      }
    }
  }
}

TEST(FitTest, FitsSharingAPoolDoNotMeet) {
  const auto target = Make("banana");
  const FitOptions options = Short(12);
  ThreadPool pool(2);
  const auto alone = RunFit(*target, options, pool);
  ASSERT_TRUE(alone.ok()) << alone.status();
  std::vector<std::string> bytes(3);
  std::vector<std::thread> threads;
  for (std::string& b : bytes) {
    threads.emplace_back([&] {
      const auto result = RunFit(*target, options, pool);
      if (result.ok() && result->model != nullptr) b = result->model->Serialize();
    });
  }
  for (std::thread& t : threads) t.join();
  for (const std::string& b : bytes) EXPECT_EQ(b, alone->model->Serialize());
}

TEST(FitTest, SeedsDiffer) {
  const auto target = Make("banana");
  ThreadPool pool(2);
  FitOptions options = Short(5);
  const auto one = RunFit(*target, options, pool);
  options.seed = 2;
  const auto two = RunFit(*target, options, pool);
  ASSERT_TRUE(one.ok() && two.ok());
  EXPECT_NE(one->model->Serialize(), two->model->Serialize());
}

// `when` sees every report and says when to cancel.
void ExpectCancelled(const FitOptions& options,
                     const std::function<bool(const FitProgress&)>& when) {
  const auto target = Make("banana");
  ThreadPool pool(2);
  std::atomic<bool> cancel{false};
  FitControl control;
  control.cancel = &cancel;
  control.on_progress = [&](const FitProgress& p) {
    if (when(p)) cancel = true;
  };
  const auto result = RunFit(*target, options, pool, control);
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_TRUE(cancel) << "never asked";
  EXPECT_EQ(result->reason, TerminationReason::kCancelled);
  EXPECT_FALSE(result->message.empty());
  EXPECT_TRUE(std::isnan(result->evidence.log_z));
}

TEST(FitTest, CancelEndsItInEveryPhase) {
  FitOptions options = Short(10000000);
  options.flow_pretrain_iterations = 100;
  ExpectCancelled(options, [](const FitProgress& p) { return p.phase == FitPhase::kWarmStart; });
  ExpectCancelled(options,
                  [](const FitProgress& p) { return p.phase == FitPhase::kFlowPretraining; });
  ExpectCancelled(options, [](const FitProgress& p) {
    return p.phase == FitPhase::kTraining && p.iteration > 3;
  });
  options.iterations = 3;
  options.evidence_draws = 1 << 20;
  ExpectCancelled(options, [](const FitProgress& p) { return p.phase == FitPhase::kEvidence; });
}

// They say how the result is measured, not what it is.
TEST(FitTest, TheSizeOfTheEvidenceDoesNotSteerTraining) {
  const auto target = Make("banana");
  ThreadPool pool(2);
  FitOptions options = Short(160);
  std::string bytes;
  for (const auto& [draws, inner] :
       {std::pair<int64_t, int64_t>{512, 32}, {2, 32}, {512, 1}, {6000, 256}}) {
    options.evidence_draws = draws;
    options.evidence_inner_samples = inner;
    const auto result = RunFit(*target, options, pool);
    ASSERT_TRUE(result.ok()) << result.status();
    if (bytes.empty()) bytes = result->model->Serialize();
    EXPECT_TRUE(result->model->Serialize() == bytes) << draws << " draws, K = " << inner;
    EXPECT_EQ(result->evidence.draws, draws);
  }
}

TEST(FitTest, ATimeLimitKeepsTheBestState) {
  const auto target = Make("banana");
  ThreadPool pool(2);
  FitOptions options = Short(10000000);
  options.time_limit = 0.5;
  const auto result = RunFit(*target, options, pool);
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->reason, TerminationReason::kTimeLimit);
  ASSERT_NE(result->model, nullptr);
  EXPECT_TRUE(std::isfinite(result->evidence.log_z));
  EXPECT_TRUE(std::isfinite(result->evidence.elbo_lower));
  EXPECT_LE(result->history.size(), 1000u);
}

TEST(FitTest, LearningRatesClimbWithTheElboUnlessTheyMayNotAdapt) {
  const auto target = Make("banana");
  ThreadPool pool(2);
  FitOptions options = Short(160);
  for (const bool adaptive : {true, false}) {
    options.adaptive = adaptive;
    const auto result = RunFit(*target, options, pool);
    ASSERT_TRUE(result.ok()) << result.status();
    const bool climbed =
        absl::StrContains(absl::StrJoin(result->log, "\n"), "learning rates times");
    EXPECT_EQ(climbed, adaptive) << absl::StrJoin(result->log, "\n");
  }
}

TEST(FitTest, ReportsFollowTheFit) {
  const auto target = Make("banana");
  ThreadPool pool(2);
  FitOptions options = Short(40);
  options.flow_pretrain_iterations = 5;
  std::vector<FitProgress> seen;
  FitControl control;
  control.on_progress = [&](const FitProgress& p) { seen.push_back(p); };
  const auto result = RunFit(*target, options, pool, control);
  ASSERT_TRUE(result.ok()) << result.status();
  ASSERT_FALSE(seen.empty());
  EXPECT_EQ(seen.front().phase, FitPhase::kWarmStart);
  EXPECT_EQ(seen.back().phase, FitPhase::kDone);
  for (size_t i = 1; i < seen.size(); ++i) {
    EXPECT_GE(seen[i].phase, seen[i - 1].phase);
    EXPECT_GE(seen[i].seconds, seen[i - 1].seconds);
    if (seen[i].phase == seen[i - 1].phase) {
      EXPECT_GE(seen[i].iteration, seen[i - 1].iteration);
    }
    EXPECT_LE(seen[i].iteration, seen[i].total_iterations);
  }
  EXPECT_EQ(seen.back().log_z, result->evidence.log_z);
  int64_t training = 0;
  for (const FitProgress& p : result->history) {
    if (p.phase != FitPhase::kTraining) continue;
    ++training;
    EXPECT_TRUE(std::isfinite(p.loss));
    EXPECT_TRUE(std::isfinite(p.elbo));
    EXPECT_GT(p.proposal_ess, 0);
    EXPECT_LE(p.proposal_ess, 1.001);
    EXPECT_GE(p.score_residual, 0);
  }
  EXPECT_GT(training, 10);
  EXPECT_FALSE(result->log.empty());
}

TEST(FitTest, NoIterationsIsTheStart) {
  const auto target = Make("gaussian");
  ThreadPool pool(2);
  const auto result = RunFit(*target, Short(0), pool);
  ASSERT_TRUE(result.ok()) << result.status();
  ExpectFinished(*result);
  EXPECT_NEAR(result->evidence.log_z, 0, 0.02);
}

// K grows where the bounds are apart, and never beyond what can be drawn.
TEST(FitTest, TheEvidenceOfABadFitStillComes) {
  const auto target = Make("banana");
  ThreadPool pool(2);
  FitOptions options = Short(3);
  options.warm_start = "none";
  options.learning_rate = 1;
  options.flow_learning_rate = 1;
  options.hidden = 1;
  options.couplings = 0;
  options.evidence_draws = 2;
  for (const int64_t k : {1, 100}) {
    options.evidence_inner_samples = k;
    const auto result = RunFit(*target, options, pool);
    ASSERT_TRUE(result.ok()) << result.status();
    ASSERT_NE(result->model, nullptr);
    EXPECT_GE(result->evidence.inner_samples, k);
  }
}

TEST(FitTest, TheResultIsNoWorseThanItsStart) {
  const auto target = Make("x_shaped");
  ThreadPool pool(2);
  FitOptions options = Short(60);
  options.learning_rate = 1;  // ruins the networks
  options.flow_learning_rate = 1;
  const auto result = RunFit(*target, options, pool);
  ASSERT_TRUE(result.ok()) << result.status();
  options.iterations = 0;
  const auto start = RunFit(*target, options, pool);
  ASSERT_TRUE(start.ok()) << start.status();
  const double noise =
      5 * std::hypot(result->evidence.elbo_lower_se, start->evidence.elbo_lower_se);
  EXPECT_GT(result->evidence.elbo_lower, start->evidence.elbo_lower - noise);
}

}  // namespace
}  // namespace aisivi
