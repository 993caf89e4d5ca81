// The method "reference": draws of the target and its evidence, by sampling.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <memory>
#include <vector>

#include "engine/evidence/summary.h"
#include "engine/evidence/verdict.h"
#include "engine/methods/methods.h"
#include "tests/engine/fit/testing.h"

namespace aisivi {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

FitOptions Reference(uint64_t seed = 1) {
  FitOptions options;
  options.method = "reference";
  options.seed = seed;
  return options;
}

FitResult MustFit(const Target& target, const FitOptions& options, const FitControl& control = {}) {
  ThreadPool pool(2);
  absl::StatusOr<FitResult> result = RunFit(target, options, pool, control);
  EXPECT_TRUE(result.ok()) << result.status();
  return result.ok() ? *std::move(result) : FitResult();
}

FitVerdict JudgeReference(const FitResult& result) {
  VerdictInput input;
  input.evidence = result.evidence;
  input.r_hat = result.r_hat;
  input.search = result.search;
  return JudgeFit(input);
}

TEST(ReferenceMethodTest, CoversTheEvidenceAndIsJudgedGood) {
  for (const char* name : {"banana", "x_shaped", "eight_gaussians"}) {
    const auto target = test::Make(name);
    const FitResult result = MustFit(*target, Reference());
    EXPECT_EQ(result.reason, TerminationReason::kConverged) << name;
    EXPECT_LE(result.evidence.standard_error, 0.05) << name;
    EXPECT_NEAR(result.evidence.log_z, 0, 3 * result.evidence.standard_error) << name;
    EXPECT_LT(result.r_hat, 1.05) << name;
    EXPECT_EQ(result.evidence.draws, FitOptions().evidence_draws) << name;
    const FitVerdict verdict = JudgeReference(result);
    EXPECT_NE(verdict.verdict, Verdict::kDoNotTrust) << name << ": " << verdict.sentence;
    EXPECT_THAT(verdict.sentence, Not(HasSubstr(" q "))) << name;
  }
}

TEST(ReferenceMethodTest, DrawsHaveTheMomentsOfTheTarget) {
  const Eigen::VectorXd mean{{3.0, -40.0, 0.01}};
  const Eigen::MatrixXd covariance{{4.0, 1.2, 0.0}, {1.2, 9.0, -0.02}, {0.0, -0.02, 0.0004}};
  const auto target = MakeTarget("gaussian", {{"mean", mean}, {"covariance", covariance}});
  ASSERT_TRUE(target.ok());
  FitOptions options = Reference();
  options.evidence_draws = 3000;
  const FitResult result = MustFit(**target, options);
  ASSERT_NE(result.model, nullptr);
  EXPECT_FALSE(result.model->has_density());
  EXPECT_EQ(result.evidence.draws, 3000);
  EXPECT_EQ(JudgeReference(result).verdict, Verdict::kGood) << JudgeReference(result).sentence;
  EXPECT_THAT(JudgeReference(result).sentence, StartsWith("Good: log Z is known to"));
  ThreadPool pool(2);
  const auto draws = Draw(*result.model, target->get(), 1, 0, 3000, 1, pool);
  ASSERT_TRUE(draws.ok());
  EXPECT_NEAR((draws->log_p - draws->log_q).mean(), result.evidence.log_z, 1e-9);
  Eigen::VectorXd log_p;
  ASSERT_TRUE((*target)->Evaluate(draws->z, &log_p, nullptr).ok());
  EXPECT_LT((log_p - draws->log_p).cwiseAbs().maxCoeff(), 1e-9);
  const auto summary = Summarize(draws->z, {0.5}, true);
  for (int64_t d = 0; d < 3; ++d) {
    const double sd = std::sqrt(covariance(d, d));
    EXPECT_NEAR(summary->mean[d], mean[d], 0.15 * sd) << d;
    EXPECT_NEAR(summary->sd[d], sd, 0.15 * sd) << d;
  }
}

TEST(ReferenceMethodTest, ProgressCountsEvaluations) {
  const auto target = test::Make("banana");
  int64_t last = 0;
  bool log_z_came = false;
  FitControl control;
  control.on_progress = [&](const FitProgress& progress) {
    if (progress.phase != FitPhase::kSampling) return;
    EXPECT_GE(progress.iteration, last);
    last = progress.iteration;
    EXPECT_EQ(progress.total_iterations, FitOptions().reference_evaluations);
  };
  FitOptions options = Reference();
  options.reference_standard_error = 0.004;  // several rounds
  const FitResult result = MustFit(*target, options, control);
  EXPECT_GT(last, 0);
  EXPECT_FALSE(result.history.empty());
  for (const FitProgress& report : result.history) log_z_came |= std::isfinite(report.log_z);
  EXPECT_TRUE(log_z_came);
  EXPECT_EQ(result.last.log_z, result.evidence.log_z);
}

TEST(ReferenceMethodTest, TooFewEvaluationsShowInTheVerdict) {
  const auto target = test::Make("banana");
  FitOptions options = Reference();
  options.reference_standard_error = 0.0001;
  options.reference_evaluations = 300'000;
  const FitResult some = MustFit(*target, options);
  EXPECT_EQ(some.reason, TerminationReason::kIterationLimit);
  EXPECT_THAT(some.message, HasSubstr("all evaluations were used"));
  EXPECT_EQ(JudgeReference(some).verdict, Verdict::kUsable) << JudgeReference(some).sentence;
  EXPECT_THAT(JudgeReference(some).sentence, HasSubstr("error_ratio"));
  options.warm_start = "none";
  options.reference_evaluations = 10'000;
  const auto far =
      MakeTarget("gaussian", {{"mean", Eigen::VectorXd(Eigen::VectorXd::Constant(5, 300))},
                              {"covariance", Eigen::MatrixXd(Eigen::MatrixXd::Identity(5, 5))}});
  ASSERT_TRUE(far.ok());
  const FitResult none = MustFit(**far, options);
  EXPECT_THAT(none.message, HasSubstr("did not suffice"));
  EXPECT_EQ(JudgeReference(none).verdict, Verdict::kDoNotTrust);
}

TEST(ReferenceMethodTest, ATimeLimitKeepsTheRoundsThatWereDone) {
  const auto target = test::Make("eight_schools");
  FitOptions options = Reference();
  options.reference_standard_error = 1e-9;
  options.reference_evaluations = 1'000'000'000;
  options.time_limit = 6;
  const FitResult result = MustFit(*target, options);
  EXPECT_EQ(result.reason, TerminationReason::kTimeLimit);
  ASSERT_NE(result.model, nullptr);
  EXPECT_TRUE(std::isfinite(result.evidence.log_z));
  EXPECT_LT(result.last.seconds, 8);
}

TEST(ReferenceMethodTest, ATimeLimitThatLeavesNoRoundEndsInTheStart) {
  const auto target = test::Make("eight_schools");
  FitOptions options = Reference();
  options.time_limit = 0.02;
  const FitResult result = MustFit(*target, options);
  EXPECT_EQ(result.reason, TerminationReason::kTimeLimit);
  ASSERT_NE(result.model, nullptr);
  EXPECT_TRUE(result.model->has_density());
  EXPECT_EQ(result.evidence.kind, EvidenceKind::kWeights);
  EXPECT_TRUE(std::isfinite(result.evidence.elbo_lower));
}

TEST(ReferenceMethodTest, CancelledAfterARoundKeepsIt) {
  const auto target = test::Make("banana");
  FitOptions options = Reference();
  options.reference_standard_error = 1e-9;
  options.reference_evaluations = 1'000'000'000;
  std::atomic<bool> cancel = false;
  FitControl control;
  control.cancel = &cancel;
  control.on_progress = [&](const FitProgress& progress) {
    if (std::isfinite(progress.log_z)) cancel = true;
  };
  const FitResult result = MustFit(*target, options, control);
  EXPECT_EQ(result.reason, TerminationReason::kCancelled);
  ASSERT_NE(result.model, nullptr);
  EXPECT_FALSE(result.model->has_density());
  EXPECT_TRUE(std::isfinite(result.evidence.standard_error));
}

TEST(ReferenceMethodTest, SgldIsUsableAtBestAndItsLogSaysHowFarItIs) {
  const auto target = test::Make("x_shaped");
  FitOptions options = Reference();
  options.reference_kernel = "sgld";
  options.reference_step = 0.05;
  options.reference_evaluations = 1'000'000;
  const FitResult result = MustFit(*target, options), exact = MustFit(*target, Reference());
  EXPECT_GT(result.evidence.kernel_bias, 0);
  EXPECT_LT(result.evidence.kernel_bias, 0.2);
  EXPECT_EQ(exact.evidence.kernel_bias, 0);
  EXPECT_NE(result.evidence.log_z, exact.evidence.log_z);
  EXPECT_NEAR(result.evidence.log_z, 0, 0.2);
  EXPECT_EQ(JudgeReference(result).verdict, Verdict::kUsable) << JudgeReference(result).sentence;
  EXPECT_THAT(JudgeReference(result).sentence, HasSubstr("kernel_bias"));
  EXPECT_THAT(result.log.back(), HasSubstr("unadjusted steps"));
  EXPECT_THAT(exact.log.back(), Not(HasSubstr("unadjusted steps")));
}

TEST(ReferenceMethodTest, RestartsAreRefusedByName) {
  FitOptions options = Reference();
  options.restarts = 2;
  const absl::Status status = ValidateOptions(options, 2);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), StartsWith("restarts: "));
}

}  // namespace
}  // namespace aisivi
