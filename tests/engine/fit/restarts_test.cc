// Several runs of one fit, and what choosing between starts brings.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>

#include "tests/engine/fit/testing.h"

namespace aisivi {
namespace {

using test::Make;
using test::Short;
using test::SpoiledTarget;

TEST(RestartsTest, TheBestRunIsTheResultAndAgreementIsTold) {
  const auto target = Make("banana");
  ThreadPool pool(2);
  FitOptions options = Short(200);
  const auto alone = RunFit(*target, options, pool);
  ASSERT_TRUE(alone.ok()) << alone.status();
  EXPECT_TRUE(std::isnan(alone->r_hat));
  EXPECT_TRUE(alone->restart_elbo.empty());
  options.restarts = 3;
  const auto result = RunFit(*target, options, pool);
  ASSERT_TRUE(result.ok()) << result.status();
  ASSERT_EQ(result->restart_elbo.size(), 3u);
  // The first run is the fit without restarts; the others have seeds of their own.
  EXPECT_EQ(result->restart_elbo[0], alone->evidence.elbo_lower);
  EXPECT_NE(result->restart_elbo[0], result->restart_elbo[1]);
  EXPECT_NE(result->restart_elbo[1], result->restart_elbo[2]);
  // Estimated afresh.
  const double best = *std::max_element(result->restart_elbo.begin(), result->restart_elbo.end());
  EXPECT_NE(result->evidence.elbo_lower, best);
  EXPECT_NEAR(result->evidence.elbo_lower, best, 6 * result->evidence.elbo_lower_se);
  EXPECT_GE(result->r_hat, 0.99);
  EXPECT_LT(result->r_hat, 1.2);
}

TEST(RestartsTest, SameBitsAgain) {
  const auto target = Make("x_shaped");
  FitOptions options = Short(20);
  options.restarts = 2;
  std::string bytes;
  double r_hat = 0;
  for (const int threads : {1, 3}) {
    ThreadPool pool(threads);
    const auto result = RunFit(*target, options, pool);
    ASSERT_TRUE(result.ok()) << result.status();
    if (threads == 1) {
      bytes = result->model->Serialize();
      r_hat = result->r_hat;
    }
    EXPECT_EQ(result->model->Serialize(), bytes);
    EXPECT_EQ(result->r_hat, r_hat);
  }
}

// Eight runs whose models are one and the same: the best of their estimates is lucky, by 1.42
// standard errors in the mean (the expected largest of eight normals).
TEST(RestartsTest, TheEvidenceOfTheBestRunIsNotTheLuckiest) {
  const SpoiledTarget target([](const Eigen::VectorXd& z, double* p, Eigen::VectorXd*) {
    *p = std::cos(2 * z[0]) + std::sin(3 * z[1]);
  });
  ThreadPool pool(2);
  FitOptions options = Short(0);
  options.warm_start = "none";
  options.restarts = 8;
  options.evidence_draws = 256;
  // E log p̃ = E cos 2x, E log q = −log 2πe, for q = N(0, I) exactly.
  const double truth = std::exp(-2.0) + std::log(2 * M_PI) + 1;
  double bias = 0;
  constexpr int kFits = 20;
  for (int seed = 1; seed <= kFits; ++seed) {
    options.seed = static_cast<uint64_t>(1000 * seed);
    const auto result = RunFit(target, options, pool);
    ASSERT_TRUE(result.ok()) << result.status();
    ASSERT_EQ(result->restart_elbo.size(), 8u);
    bias += (result->evidence.elbo_lower - truth) / result->evidence.elbo_lower_se / kFits;
  }
  EXPECT_NEAR(bias, 0, 3 / std::sqrt(kFits));
}

// The evidence of the second of two runs is not finite: the first one is the result, with its own
// record.
TEST(RestartsTest, ARunWithoutEvidenceNeverReplacesOneThatHasSome) {
  for (const double nothing :
       {std::numeric_limits<double>::quiet_NaN(), -std::numeric_limits<double>::infinity()}) {
    std::atomic<bool> spoiled{false};
    const SpoiledTarget target([&](const Eigen::VectorXd& z, double* p, Eigen::VectorXd* s) {
      *p += std::cos(2 * z[0]);
      (*s)[0] -= 2 * std::sin(2 * z[0]);
      if (spoiled) *p = nothing;
    });
    ThreadPool pool(2);
    FitOptions options = Short(20);
    options.warm_start = "none";
    const auto alone = RunFit(target, options, pool);
    ASSERT_TRUE(alone.ok()) << alone.status();
    options.restarts = 2;
    int evidences = 0;
    FitControl control;
    control.on_progress = [&](const FitProgress& p) {
      if (p.phase == FitPhase::kEvidence && p.iteration == 0) ++evidences;
      spoiled = evidences == 2;
    };
    const auto result = RunFit(target, options, pool, control);
    ASSERT_TRUE(result.ok()) << result.status();
    ASSERT_EQ(result->restart_elbo.size(), 2u);
    EXPECT_EQ(result->restart_elbo[0], alone->evidence.elbo_lower);
    EXPECT_FALSE(std::isfinite(result->restart_elbo[1]));
    ASSERT_NE(result->model, nullptr);
    EXPECT_TRUE(result->model->Serialize() == alone->model->Serialize());
    ASSERT_EQ(result->history.size(), alone->history.size());
    for (size_t i = 0; i < alone->history.size(); ++i) {
      EXPECT_EQ(result->history[i].phase, alone->history[i].phase) << i;
      EXPECT_EQ(result->history[i].iteration, alone->history[i].iteration) << i;
      if (alone->history[i].phase != FitPhase::kTraining) continue;
      EXPECT_EQ(result->history[i].loss, alone->history[i].loss) << i;
    }
    EXPECT_EQ(result->last.score_residual, alone->last.score_residual);
    EXPECT_EQ(result->last.loss, alone->last.loss);
    EXPECT_EQ(result->last.phase, FitPhase::kDone);
  }
}

TEST(RestartsTest, CancelledInALaterRunKeepsTheEarlierOne) {
  const auto target = Make("banana");
  ThreadPool pool(2);
  FitOptions options = Short(20);
  options.restarts = 4;
  std::atomic<bool> cancel{false};
  int warm_starts = 0;
  FitPhase last = FitPhase::kDone;
  FitControl control;
  control.cancel = &cancel;
  control.on_progress = [&](const FitProgress& p) {
    if (p.phase == FitPhase::kWarmStart && last != FitPhase::kWarmStart && ++warm_starts == 3) {
      cancel = true;
    }
    last = p.phase;
  };
  const auto result = RunFit(*target, options, pool, control);
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->reason, TerminationReason::kCancelled);
  ASSERT_NE(result->model, nullptr);
  EXPECT_EQ(result->restart_elbo.size(), 2u);
  EXPECT_TRUE(std::isfinite(result->evidence.elbo_lower));
}

TEST(RestartsTest, ATimeLimitIsForAllRunsTogether) {
  const auto target = Make("banana");
  ThreadPool pool(2);
  FitOptions options = Short(10000000);
  options.restarts = 2;
  options.time_limit = 1;
  const auto result = RunFit(*target, options, pool);
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->reason, TerminationReason::kTimeLimit);
  EXPECT_EQ(result->restart_elbo.size(), 2u);
}

// No room for anything: still a result that can be drawn from.
TEST(RestartsTest, ATinyTimeLimitStillEnds) {
  const auto target = Make("funnel");
  ThreadPool pool(2);
  FitOptions options;
  options.time_limit = 1e-3;
  const auto result = RunFit(*target, options, pool);
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->reason, TerminationReason::kTimeLimit);
  ASSERT_NE(result->model, nullptr);
  EXPECT_TRUE(std::isfinite(result->evidence.elbo_lower));
  EXPECT_GT(result->evidence.draws, 0);
}

// The Gaussian of best ELBO sits at the funnel's mouth; the fit must not stay there.
TEST(StartsTest, SeveralStartsAreTriedWhereTheBestGaussianIsPoor) {
  const auto target = Make("funnel");
  ThreadPool pool(2);
  const auto result = RunFit(*target, Short(64), pool);
  ASSERT_TRUE(result.ok()) << result.status();
  const auto pilots =
      std::count_if(result->log.begin(), result->log.end(),
                    [](const std::string& line) { return line.find("Pilot training from") == 0; });
  EXPECT_GE(pilots, 2);
}

TEST(AdaptationTest, InnerSamplesGrowWhereTheScoreIsNoisy) {
  const auto target = Make("x_shaped");
  ThreadPool pool(2);
  FitOptions options = Short(800);
  options.warm_start = "gaussian";
  options.inner_samples = 2;
  const auto grown = [&] {
    const auto result = RunFit(*target, options, pool);
    EXPECT_TRUE(result.ok()) << result.status();
    return std::any_of(result->log.begin(), result->log.end(), [](const std::string& line) {
      return line.find("Training ended with") == 0;
    });
  };
  EXPECT_TRUE(grown());
  options.adaptive = false;
  EXPECT_FALSE(grown());
}

}  // namespace
}  // namespace aisivi
