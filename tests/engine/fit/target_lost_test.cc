// A target that is lost on the way ends a fit with the best state so far, wherever that is.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <tuple>

#include "engine/evidence/verdict.h"
#include "tests/engine/fit/testing.h"

namespace aisivi {
namespace {

using test::FailingTarget;

// Where no fit from the origin is done at once.
constexpr double kMean = 2;

FitOptions Quick(const std::string& method, const std::string& start, int64_t restarts) {
  FitOptions options = test::Short(20);
  options.method = method;
  options.points = 32;
  options.inner_samples = 8;
  options.warm_start = start;
  options.restarts = restarts;
  options.evidence_draws = 1200;  // in more than one chunk
  return options;
}

absl::StatusOr<FitResult> LostAfter(int64_t calls, const FitOptions& options) {
  const FailingTarget target(calls, absl::StatusCode::kUnavailable, kMean);
  ThreadPool pool(2);
  return RunFit(target, options, pool);
}

// That a fit makes when nothing goes wrong.
int64_t CallsOf(const FitOptions& options) {
  const FailingTarget target(1'000'000'000, absl::StatusCode::kUnavailable, kMean);
  ThreadPool pool(2);
  EXPECT_TRUE(RunFit(target, options, pool).ok());
  return target.calls();
}

void ExpectLost(const absl::StatusOr<FitResult>& result, bool sampler, const std::string& what) {
  ASSERT_TRUE(result.ok()) << what << ": " << result.status();
  EXPECT_EQ(result->reason, TerminationReason::kTargetLost) << what;
  ASSERT_NE(result->model, nullptr) << what;
  EXPECT_FALSE(result->message.empty()) << what;
  if (!sampler) {
    EXPECT_TRUE(std::isnan(result->evidence.log_z)) << what;
    EXPECT_EQ(result->evidence.draws, 0) << what;
  }
  EXPECT_NE(JudgeFit({.evidence = result->evidence, .search = result->search}).verdict,
            Verdict::kGood)
      << what;
  std::string log;
  for (const std::string& line : result->log) log += line + "\n";
  EXPECT_NE(log.find("the file is gone"), std::string::npos) << what << ": " << log;
}

// At every tenth of its calls and at the last: in the search for a start it is an error, afterwards
// there is a state.
TEST(TargetLostTest, EndsAFitWhereverItHappens) {
  for (const auto& [method, start, restarts] :
       {std::tuple<std::string, std::string, int64_t>{"aisivi", "auto", 1},
        {"aisivi", "none", 1},
        {"ksivi", "none", 1},
        {"aisivi", "gaussian", 3},
        {"reference", "auto", 1}}) {
    const FitOptions options = Quick(method, start, restarts);
    const int64_t calls = CallsOf(options);
    ASSERT_GT(calls, 10) << method;
    bool had_state = false;
    for (int64_t tenth = 0; tenth <= 10; ++tenth) {
      const int64_t good = std::min(calls - 1, tenth * calls / 10);
      const absl::StatusOr<FitResult> result = LostAfter(good, options);
      const std::string what = method + " from " + start + " after " + std::to_string(good);
      if (!result.ok()) {
        EXPECT_FALSE(had_state) << what << ": a state has been lost";
        EXPECT_EQ(result.status().code(), absl::StatusCode::kUnavailable) << what;
        continue;
      }
      had_state = true;
      ExpectLost(result, method == "reference", what);
    }
    EXPECT_TRUE(had_state) << method << " from " << start;
  }
}

TEST(TargetLostTest, WithoutAnyStateTheErrorIsTheTargets) {
  for (const char* start : {"auto", "none"}) {
    const absl::StatusOr<FitResult> result = LostAfter(0, Quick("aisivi", start, 1));
    EXPECT_EQ(result.status().code(), absl::StatusCode::kUnavailable) << start;
  }
}

// The steps taken before the first look are not thrown away.
TEST(TargetLostTest, TrainingBeforeTheFirstCheckCounts) {
  const FitOptions options = Quick("aisivi", "none", 1);
  const absl::StatusOr<FitResult> some = LostAfter(3, options), more = LostAfter(6, options);
  ExpectLost(some, false, "after 3 steps");
  ExpectLost(more, false, "after 6 steps");
  EXPECT_TRUE(some->model->Serialize() != more->model->Serialize());
}

TEST(TargetLostTest, TheBestOfTheRunsBeforeIsKeptWithoutItsLuckyEvidence) {
  const FitOptions options = Quick("aisivi", "none", 3);
  const int64_t calls = CallsOf(options);
  const absl::StatusOr<FitResult> last = LostAfter(calls - 1, options);
  ExpectLost(last, false, "in the evidence of the best");
  ASSERT_TRUE(last.ok());
  EXPECT_EQ(last->restart_elbo.size(), 3);
  const absl::StatusOr<FitResult> second = LostAfter(calls / 2, options);
  ExpectLost(second, false, "in the second run");
  ASSERT_TRUE(second.ok());
  EXPECT_EQ(second->restart_elbo.size(), 1);
}

}  // namespace
}  // namespace aisivi
