#include "engine/fit/reporter.h"

#include <gtest/gtest.h>

#include "engine/evidence/verdict.h"
#include "tests/engine/fit/testing.h"

namespace aisivi {
namespace {

// However the record was thinned, the reports of the span are marked and no others.
TEST(ReporterTest, MarksTheReportsOfASpan) {
  for (const int64_t count : {10, 999, 1000, 5000}) {
    Reporter reporter({});
    for (int64_t i = 0; i < count; ++i) {
      EXPECT_EQ(reporter.next_number(), i);
      reporter.current().iteration = i + 1;
      reporter.Report();
    }
    const ReportSpan span{count / 4, count / 2};
    reporter.MarkResult({0, count});
    reporter.MarkResult(span);
    int64_t marked = 0;
    const std::vector<FitProgress> history = reporter.EndRun();
    for (const FitProgress& report : history) {
      const int64_t number = report.iteration - 1;
      EXPECT_EQ(report.of_result, number >= span.first && number < span.last) << number;
      marked += report.of_result ? 1 : 0;
    }
    EXPECT_NEAR(static_cast<double>(marked), 0.25 * static_cast<double>(history.size()), 1);
    EXPECT_EQ(reporter.next_number(), 0);
  }
}

// The residual of the reports of one training, all or none of which led to the result.
FitResult FitBanana(const FitOptions& options) {
  const auto target = test::Make("banana");
  ThreadPool pool(2);
  absl::StatusOr<FitResult> result = RunFit(*target, options, pool);
  EXPECT_TRUE(result.ok()) << result.status();
  return result.ok() ? *std::move(result) : FitResult();
}

const Criterion* Residual(const FitVerdict& verdict) {
  for (const Criterion& criterion : verdict.criteria) {
    if (criterion.name == "score_residual") return &criterion;
  }
  return nullptr;
}

FitVerdict JudgeByHistory(const FitResult& result) {
  return JudgeFit({.evidence = result.evidence,
                   .score_residual = TypicalScoreResidual(result.history),
                   .dimension = 2,
                   .search = result.search});
}

int64_t ReportsWithResidual(const FitResult& result) {
  int64_t count = 0;
  for (const FitProgress& report : result.history) count += report.score_residual >= 0 ? 1 : 0;
  return count;
}

TEST(ScoreResidualTest, IsThatOfTheTrainingThatLedToTheResult) {
  FitOptions options = test::Short(200);
  options.warm_start = "gaussian";
  const FitResult result = FitBanana(options);
  EXPECT_GT(TypicalScoreResidual(result.history), 0);
  EXPECT_NE(Residual(JudgeByHistory(result)), nullptr);
  int64_t of_result = 0;
  for (const FitProgress& report : result.history) of_result += report.of_result ? 1 : 0;
  EXPECT_GT(of_result, 100);
}

// A training that cannot move the model leaves nothing better than the start, which is the result.
TEST(ScoreResidualTest, IsAbsentWhereTheStartIsTheResult) {
  FitOptions options = test::Short(40);
  options.warm_start = "gaussian";
  options.iterations = 0;
  const FitResult start = FitBanana(options);
  options.iterations = 40;
  options.learning_rate = options.flow_learning_rate = 0;
  for (const char* method : {"aisivi", "bsivi"}) {
    options.method = method;
    const FitResult result = FitBanana(options);
    ASSERT_NE(result.model, nullptr);
    EXPECT_EQ(result.model->state().components.front().family.parameters(),
              start.model->state().components.front().family.parameters());
    EXPECT_GT(ReportsWithResidual(result), 5) << method;
    EXPECT_TRUE(std::isnan(TypicalScoreResidual(result.history))) << method;
    EXPECT_EQ(Residual(JudgeByHistory(result)), nullptr) << method;
  }
}

// As published, the last iterate is the result whatever the checks saw.
TEST(ScoreResidualTest, OfALastIterateIsThatOfTheEnd) {
  FitOptions options = test::Short(40);
  options.warm_start = "gaussian";
  options.learning_rate = options.flow_learning_rate = 0.3;
  options.keep_last = true;
  options.decay_every = 1000;
  const FitResult result = FitBanana(options);
  for (const FitProgress& report : result.history) {
    if (report.phase != FitPhase::kTraining) continue;
    EXPECT_TRUE(report.of_result) << report.iteration;
  }
  EXPECT_FALSE(std::isnan(TypicalScoreResidual(result.history)));
}

}  // namespace
}  // namespace aisivi
