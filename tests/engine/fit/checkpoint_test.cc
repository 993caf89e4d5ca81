// Every method of the registry: a fit that was interrupted and goes on from a checkpoint ends with
// what it would have ended with, bit for bit, at any number of threads. And checkpoints of other
// fits, damaged ones and forged ones: refused, or harmless.
#include "engine/fit/checkpoint.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <map>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "engine/methods/methods.h"
#include "engine/model/bytes.h"
#include "tests/engine/fit/testing.h"

namespace aisivi {
namespace {

using test::Make;

constexpr size_t kPoints = 20;  // at which a fit is interrupted

// All stages in a moment: two runs where there can be several.
FitOptions Brief(const MethodEntry& method) {
  FitOptions options;
  options.method = method.name;
  options.iterations = 20;
  options.points = 32;
  options.inner_samples = 8;
  options.hidden = 16;
  options.couplings = 2;
  options.flow_pretrain_iterations = 4;
  options.evidence_flow_iterations = 4;
  options.particles = 20;
  options.evidence_draws = 2100;
  options.evidence_inner_samples = 2;
  options.reference_evaluations = 40'000;
  options.reference_standard_error = 0.02;
  options.restarts = method.samples ? 1 : 2;
  return options;
}

struct Interruptible {
  FitResult result;
  std::vector<std::string> checkpoints;  // of all safe points
};

absl::StatusOr<Interruptible> FitFrom(std::string_view checkpoint, const Target& target,
                                      const FitOptions& options, int threads,
                                      int64_t checkpoint_every = 1) {
  ThreadPool pool(threads);
  Interruptible fit;
  FitControl control;
  control.resume_from = checkpoint;
  control.checkpoint_every = checkpoint_every;
  if (checkpoint_every > 0) {
    control.on_checkpoint = [&](std::string bytes) { fit.checkpoints.push_back(std::move(bytes)); };
  }
  absl::StatusOr<FitResult> result = RunFit(target, options, pool, control);
  if (!result.ok()) return result.status();
  fit.result = *std::move(result);
  return fit;
}

// All of a result but for its seconds.
std::string BytesOf(FitResult result) {
  result.last.seconds = 0;
  for (FitProgress& report : result.history) report.seconds = 0;
  FitCheckpoint all;
  all.restarts.best = std::move(result);
  return SerializeCheckpoint(all);
}

// Where a checkpoint was made: the stage of a run, or the evidence after all of them.
std::string PlaceOf(const FitCheckpoint& checkpoint) {
  if (!checkpoint.run.has_value()) return "afresh";
  return std::to_string(static_cast<int>(checkpoint.run->stage));
}

// One of every place, and others up to `count`.
std::vector<size_t> Choose(const std::vector<std::string>& checkpoints, size_t count,
                           std::mt19937& random) {
  std::vector<size_t> order(checkpoints.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::shuffle(order.begin(), order.end(), random);
  std::map<std::string, size_t> seen;
  std::vector<size_t> first, others;
  for (const size_t i : order) {
    const bool is_new = seen[PlaceOf(*ParseCheckpoint(checkpoints[i]))]++ == 0;
    (is_new ? first : others).push_back(i);
  }
  for (const size_t i : others) {
    if (first.size() < count) first.push_back(i);
  }
  return first;
}

const MethodEntry& Method(const std::string& name) { return **FindMethod(name); }

class CheckpointConformanceTest : public testing::TestWithParam<std::string> {};

TEST_P(CheckpointConformanceTest, AFitThatWasInterruptedEndsAsIfItHadNotBeen) {
  const MethodEntry& method = Method(GetParam());
  const FitOptions options = Brief(method);
  const auto target = Make("banana");
  const auto alone = FitFrom("", *target, options, 2, /*checkpoint_every=*/0);
  const auto whole = FitFrom("", *target, options, 2);
  ASSERT_TRUE(alone.ok() && whole.ok()) << alone.status() << whole.status();
  const std::string expected = BytesOf(alone->result);
  EXPECT_TRUE(BytesOf(whole->result) == expected) << "checkpoints made a difference";
  std::mt19937 random(7);
  int number = 0;
  for (const size_t at : Choose(whole->checkpoints, kPoints, random)) {
    const auto rest = FitFrom(whole->checkpoints[at], *target, options, 1 + number % 3);
    ASSERT_TRUE(rest.ok()) << at << ": " << rest.status();
    EXPECT_TRUE(BytesOf(rest->result) == expected)
        << "from checkpoint " << at << " of " << whole->checkpoints.size() << ", in stage "
        << PlaceOf(*ParseCheckpoint(whole->checkpoints[at]));
    // What goes on is as good to go on from.
    ASSERT_EQ(rest->checkpoints.size(), whole->checkpoints.size() - at);
    if (number++ % 5 != 0) continue;
    const std::string& later = rest->checkpoints[random() % rest->checkpoints.size()];
    const auto again = FitFrom(later, *target, options, 1 + number % 3, 0);
    ASSERT_TRUE(again.ok()) << at << ": " << again.status();
    EXPECT_TRUE(BytesOf(again->result) == expected) << "twice, first from checkpoint " << at;
  }
}

TEST_P(CheckpointConformanceTest, ParsedAndSerializedTheBytesAreTheSame) {
  const auto target = Make("banana");
  const auto fit = FitFrom("", *target, Brief(Method(GetParam())), 2, 3);
  ASSERT_TRUE(fit.ok()) << fit.status();
  ASSERT_FALSE(fit->checkpoints.empty());
  for (const std::string& bytes : fit->checkpoints) {
    const auto parsed = ParseCheckpoint(bytes);
    ASSERT_TRUE(parsed.ok()) << parsed.status();
    EXPECT_TRUE(SerializeCheckpoint(*parsed) == bytes);
  }
}

std::vector<std::string> Names() {
  std::vector<std::string> names;
  for (const MethodEntry& method : MethodRegistry()) names.push_back(method.name);
  return names;
}

INSTANTIATE_TEST_SUITE_P(Methods, CheckpointConformanceTest, testing::ValuesIn(Names()),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace aisivi
