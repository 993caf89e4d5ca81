// Every method of the registry: a fit that was interrupted and goes on from a checkpoint ends with
// what it would have ended with, bit for bit, at any number of threads. And checkpoints of other
// fits, damaged ones and forged ones: refused, or harmless.
#include "engine/fit/checkpoint.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
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

constexpr size_t kInterruptions = 20;  // at which a fit is interrupted

// In a moment all stages but the choice among starts, which a search takes more time for than all
// else; two runs where there can be several.
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
  options.warm_start = "none";
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

// Interrupts the fit at `count` of its safe points, and some of what goes on again.
void ExpectInterruptible(const Target& target, const FitOptions& options, size_t count) {
  const auto alone = FitFrom("", target, options, 2, /*checkpoint_every=*/0);
  const auto whole = FitFrom("", target, options, 2);
  ASSERT_TRUE(alone.ok() && whole.ok()) << alone.status() << whole.status();
  const std::string expected = BytesOf(alone->result);
  EXPECT_TRUE(BytesOf(whole->result) == expected) << "checkpoints made a difference";
  std::mt19937 random(7);
  int number = 0;
  for (const size_t at : Choose(whole->checkpoints, count, random)) {
    const auto rest = FitFrom(whole->checkpoints[at], target, options, 1 + number % 3);
    ASSERT_TRUE(rest.ok()) << at << ": " << rest.status();
    EXPECT_TRUE(BytesOf(rest->result) == expected)
        << "from checkpoint " << at << " of " << whole->checkpoints.size() << ", in stage "
        << PlaceOf(*ParseCheckpoint(whole->checkpoints[at]));
    // What goes on is as good to go on from.
    ASSERT_EQ(rest->checkpoints.size(), whole->checkpoints.size() - at);
    if (number++ % 5 != 0) continue;
    const std::string& later = rest->checkpoints[random() % rest->checkpoints.size()];
    const auto again = FitFrom(later, target, options, 1 + number % 3, 0);
    ASSERT_TRUE(again.ok()) << at << ": " << again.status();
    EXPECT_TRUE(BytesOf(again->result) == expected) << "twice, first from checkpoint " << at;
  }
}

TEST(CheckpointNowTest, WhoIsAboutToEndAFitAsksForTheLastOne) {
  const auto target = Make("x_shaped");
  const FitOptions options = Brief(Method("aisivi"));
  ThreadPool pool(2);
  std::atomic<bool> cancel{false}, now{false};
  std::vector<std::string> checkpoints;
  FitControl control;
  control.cancel = &cancel;
  control.checkpoint_now = &now;
  control.on_progress = [&](const FitProgress& progress) {
    if (progress.phase == FitPhase::kTraining) now = true;
  };
  control.on_checkpoint = [&](std::string bytes) {
    checkpoints.push_back(std::move(bytes));
    cancel = true;
  };
  const auto interrupted = RunFit(*target, options, pool, control);
  ASSERT_TRUE(interrupted.ok()) << interrupted.status();
  EXPECT_EQ(interrupted->reason, TerminationReason::kCancelled);
  ASSERT_FALSE(checkpoints.empty());
  const auto rest = FitFrom(checkpoints.back(), *target, options, 1, 0);
  const auto whole = FitFrom("", *target, options, 2, 0);
  ASSERT_TRUE(rest.ok() && whole.ok()) << rest.status() << whole.status();
  EXPECT_TRUE(BytesOf(rest->result) == BytesOf(whole->result));
}

class CheckpointConformanceTest : public testing::TestWithParam<std::string> {};

TEST_P(CheckpointConformanceTest, AFitThatWasInterruptedEndsAsIfItHadNotBeen) {
  ExpectInterruptible(*Make("x_shaped"), Brief(Method(GetParam())), kInterruptions);
}

TEST_P(CheckpointConformanceTest, ParsedAndSerializedTheBytesAreTheSame) {
  FitOptions options = Brief(Method(GetParam()));
  options.restarts = 1;
  const auto target = Make("x_shaped");
  const auto fit = FitFrom("", *target, options, 2, 3);
  ASSERT_TRUE(fit.ok()) << fit.status();
  ASSERT_FALSE(fit->checkpoints.empty());
  for (const std::string& bytes : fit->checkpoints) {
    const auto parsed = ParseCheckpoint(bytes);
    ASSERT_TRUE(parsed.ok()) << parsed.status();
    EXPECT_TRUE(SerializeCheckpoint(*parsed) == bytes);
  }
}

std::vector<std::string> MethodNames() {
  std::vector<std::string> names;
  for (const MethodEntry& method : MethodRegistry()) names.push_back(method.name);
  return names;
}

INSTANTIATE_TEST_SUITE_P(Methods, CheckpointConformanceTest, testing::ValuesIn(MethodNames()),
                         [](const auto& info) { return info.param; });

// What the brief fits above do not come to.
struct Setting {
  std::string name, target;
  void (*set)(FitOptions*);
};

const std::vector<Setting>& CheckpointSettings() {
  static const auto* const kSettings = new std::vector<Setting>{
      // Adaptation, back-off, a window of steps that is full.
      {"long_enough_to_adapt", "funnel",
       [](FitOptions* o) {
         o->iterations = 160;
         o->learning_rate = 0.1;
       }},
      {"several_starts", "x_shaped",
       [](FitOptions* o) {
         o->warm_start = "auto";
         o->restarts = 2;
       }},
      {"mixture", "multimodal", [](FitOptions* o) { o->warm_start = "auto"; }},
      {"eight_schools", "eight_schools", [](FitOptions*) {}},
      {"published", "banana",
       [](FitOptions* o) {
         o->decay_every = 5;
         o->keep_last = true;
         o->linear_skip = false;
         o->sigma = "vector";
         o->latent = "uniform";
         o->proposal_base = "standard";
         o->flow_steps = 1;
       }},
      {"splines", "banana", [](FitOptions* o) { o->coupling = "spline"; }},
      {"without_training", "banana", [](FitOptions* o) { o->iterations = 0; }},
      {"no_proposal", "banana",
       [](FitOptions* o) {
         o->method = "bsivi";
         o->flow_steps = o->flow_pretrain_iterations = o->evidence_flow_iterations = 0;
       }},
      {"langevin", "eight_schools",
       [](FitOptions* o) {
         o->method = "reference";
         o->warm_start = "auto";
         o->reference_kernel = "sgld";
       }},
  };
  return *kSettings;
}

class CheckpointSettingsTest : public testing::TestWithParam<Setting> {};

TEST_P(CheckpointSettingsTest, AFitThatWasInterruptedEndsAsIfItHadNotBeen) {
  FitOptions options = Brief(Method("aisivi"));
  options.restarts = 1;
  GetParam().set(&options);
  ExpectInterruptible(*Make(GetParam().target), options, kInterruptions / 3);
}

INSTANTIATE_TEST_SUITE_P(Settings, CheckpointSettingsTest, testing::ValuesIn(CheckpointSettings()),
                         [](const auto& info) { return info.param.name; });

// The checkpoints of a fit of one run, for what is done with them.
class CheckpointTest : public testing::Test {
 protected:
  static FitOptions Options(const std::string& method) {
    FitOptions options = Brief(Method(method));
    options.restarts = 1;
    return options;
  }
  static const std::vector<std::string>& Of(const std::string& method) {
    static auto* const known = new std::map<std::string, std::vector<std::string>>;
    std::vector<std::string>& checkpoints = (*known)[method];
    if (checkpoints.empty()) {
      checkpoints = FitFrom("", *Make("banana"), Options(method), 2)->checkpoints;
    }
    return checkpoints;
  }
  static absl::Status GoOn(std::string_view checkpoint, const std::string& method = "aisivi",
                           const std::string& target = "banana") {
    return FitFrom(checkpoint, *Make(target), Options(method), 1, 0).status();
  }
  // With the checksum of what it has become.
  static std::string Signed(std::string bytes) {
    bytes.resize(bytes.size() - sizeof(uint64_t));
    ByteWriter out;
    out.Raw(bytes.data(), bytes.size());
    return std::move(out).Finish();
  }
};

TEST_F(CheckpointTest, EveryStageOfATrainingHasSome) {
  std::map<std::string, int> places;
  FitOptions options = Brief(Method("aisivi"));
  options.warm_start = "auto";
  const auto fit = FitFrom("", *Make("x_shaped"), options, 2);
  ASSERT_TRUE(fit.ok()) << fit.status();
  for (const std::string& bytes : fit->checkpoints) ++places[PlaceOf(*ParseCheckpoint(bytes))];
  for (const RunStage stage :
       {RunStage::kStart, RunStage::kLook, RunStage::kChoice, RunStage::kPretraining,
        RunStage::kTraining, RunStage::kProposals, RunStage::kEvidence}) {
    EXPECT_GT(places[std::to_string(static_cast<int>(stage))], 0) << static_cast<int>(stage);
  }
  EXPECT_GT(places["afresh"], 0);
}

TEST_F(CheckpointTest, WhatIsCutShortIsRefused) {
  std::mt19937 random(1);
  const std::string& bytes = Of("aisivi")[20];
  for (int i = 0; i < 300; ++i) {
    const size_t size = i < 100 ? static_cast<size_t>(i) : random() % bytes.size();
    const std::string_view cut = std::string_view(bytes).substr(0, size);
    EXPECT_EQ(ParseCheckpoint(cut).status().code(), absl::StatusCode::kDataLoss) << size;
  }
  EXPECT_EQ(GoOn(std::string_view(bytes).substr(1)).code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(GoOn(bytes + "0").code(), absl::StatusCode::kDataLoss);
}

TEST_F(CheckpointTest, WhatIsDamagedIsRefused) {
  std::mt19937 random(2);
  for (int i = 0; i < 300; ++i) {
    std::string bytes = Of("aisivi")[20];
    bytes[random() % bytes.size()] ^= static_cast<char>(1 << random() % 8);
    EXPECT_EQ(ParseCheckpoint(bytes).status().code(), absl::StatusCode::kDataLoss) << i;
  }
}

TEST_F(CheckpointTest, AnotherVersionIsRefused) {
  std::string bytes = Of("aisivi")[20];
  ++bytes[8];
  const absl::Status status = GoOn(Signed(bytes));
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << status;
  EXPECT_TRUE(GoOn(Signed(Of("aisivi")[20])).ok());
}

TEST_F(CheckpointTest, AnotherNumericFingerprintIsRefused) {
  FitCheckpoint checkpoint = *ParseCheckpoint(Of("aisivi")[20]);
  checkpoint.fingerprint.back() ^= 1;
  const absl::Status status = GoOn(SerializeCheckpoint(checkpoint));
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << status;
  EXPECT_NE(status.message().find("fingerprint"), std::string::npos) << status;
}

TEST_F(CheckpointTest, AnotherFitIsRefused) {
  const std::string& bytes = Of("aisivi")[20];
  for (const absl::Status& status :
       {GoOn(bytes, "bsivi"), GoOn(bytes, "reference"), GoOn(bytes, "aisivi", "funnel"),
        GoOn(bytes, "aisivi", "eight_schools")}) {
    EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << status;
  }
  FitOptions options = Options("aisivi");
  options.seed = 2;
  EXPECT_EQ(FitFrom(bytes, *Make("banana"), options, 2).status().code(),
            absl::StatusCode::kFailedPrecondition);
}

// Whatever the bytes say, under a checksum that is right: an error or a result, never a crash.
TEST_F(CheckpointTest, ForgedOnesDoNoHarm) {
  std::mt19937 random(3);
  int refused = 0, ended = 0;
  for (const char* method : {"aisivi", "uivi", "pvi", "reference"}) {
    const std::vector<std::string>& all = Of(method);
    const int count = Method(method).samples ? 12 : 40;  // a sampler takes longer
    for (int i = 0; i < count; ++i) {
      std::string bytes = all[2 + random() % (all.size() - 2)];  // after the search for starts
      // Most of the fields are small and at the ends, most of the bytes parameters in the middle.
      const size_t size = bytes.size() - 8, reach = i % 2 == 0 ? size : 600;
      for (int change = 0; change < 1 + i % 3; ++change) {
        const size_t at = i % 4 == 1 ? size - 1 - random() % reach : random() % reach;
        bytes[at] = static_cast<char>(i % 5 == 0 ? 0xff : random());
      }
      if (i % 10 == 9) bytes.erase(random() % size, 1 + random() % 16);
      ++(GoOn(Signed(bytes), method).ok() ? ended : refused);
    }
  }
  EXPECT_GT(refused, 0);
  EXPECT_GT(ended, 0);
}

// A fit with a time limit: the seconds before count.
TEST_F(CheckpointTest, ATimeLimitCountsFromTheBeginning) {
  FitOptions options = Options("aisivi");
  options.time_limit = 1e5;
  const auto target = Make("banana");
  const auto fit = FitFrom("", *target, options, 2);
  ASSERT_TRUE(fit.ok());
  for (const std::string& bytes : fit->checkpoints) {
    FitCheckpoint checkpoint = *ParseCheckpoint(bytes);
    if (!checkpoint.run || checkpoint.run->stage != RunStage::kTraining) continue;
    EXPECT_NEAR(checkpoint.run->time_limit, 1e5, 1e4);
    checkpoint.seconds = checkpoint.run->seconds = 9e4;
    const auto rest = FitFrom(SerializeCheckpoint(checkpoint), *target, options, 2);
    ASSERT_TRUE(rest.ok()) << rest.status();
    EXPECT_EQ(rest->result.reason, TerminationReason::kTimeLimit);
    EXPECT_GE(rest->result.last.seconds, 9e4);
    EXPECT_NE(rest->result.model, nullptr);
    return;
  }
  FAIL() << "no checkpoint while training";
}

}  // namespace
}  // namespace aisivi
