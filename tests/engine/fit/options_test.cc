#include "engine/fit/options.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <set>
#include <string>
#include <type_traits>
#include <vector>

#include "engine/fit/fit.h"
#include "tests/engine/fit/testing.h"

namespace aisivi {
namespace {

using Value = std::variant<int64_t, double, bool, std::string>;

void ExpectRefused(const absl::Status& status, const std::string& field) {
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << field << ": " << status;
  EXPECT_EQ(status.message().substr(0, field.size() + 1), field + ":") << status;
}

// Values of the right kind that are out of range.
std::vector<Value> OutOfRange(const OptionDoc& doc) {
  return std::visit(
      [&](auto member) -> std::vector<Value> {
        using T = std::decay_t<decltype(std::declval<FitOptions>().*member)>;
        if constexpr (std::is_same_v<T, int64_t>) {
          return {static_cast<int64_t>(doc.min) - 1, static_cast<int64_t>(doc.max) + 1,
                  std::numeric_limits<int64_t>::min(), std::numeric_limits<int64_t>::max(),
                  int64_t{10000000000}};
        } else if constexpr (std::is_same_v<T, double>) {
          return {doc.min - 1e-5, doc.max * (1 + 1e-9), -std::numeric_limits<double>::infinity(),
                  std::numeric_limits<double>::infinity(),
                  std::numeric_limits<double>::quiet_NaN()};
        } else if constexpr (std::is_same_v<T, std::string>) {
          return {std::string("no such choice"), std::string()};
        } else {
          return {};
        }
      },
      doc.member);
}

std::vector<Value> InRange(const OptionDoc& doc) {
  return std::visit(
      [&](auto member) -> std::vector<Value> {
        using T = std::decay_t<decltype(std::declval<FitOptions>().*member)>;
        if constexpr (std::is_same_v<T, int64_t>) {
          return {static_cast<int64_t>(doc.min), static_cast<int64_t>(doc.max)};
        } else if constexpr (std::is_same_v<T, double>) {
          return {doc.min, doc.max};
        } else if constexpr (std::is_same_v<T, std::string>) {
          return {doc.choices.begin(), doc.choices.end()};
        } else {
          return {true, false};
        }
      },
      doc.member);
}

// Sets the field itself, past SetOption.
void Force(const OptionDoc& doc, const Value& value, FitOptions* options) {
  std::visit(
      [&](auto member) {
        using T = std::decay_t<decltype(options->*member)>;
        options->*member = std::get<T>(value);
      },
      doc.member);
}

TEST(OptionsTest, EveryBoundIsHeldByName) {
  for (const OptionDoc& doc : OptionTable()) {
    for (const Value& value : OutOfRange(doc)) {
      FitOptions options;
      ExpectRefused(SetOption(doc.name, value, &options), doc.name);
      EXPECT_TRUE(ValidateOptions(options, 2).ok()) << "a refused value was kept";
      Force(doc, value, &options);
      ExpectRefused(ValidateOptions(options, 2), doc.name);
    }
  }
}

TEST(OptionsTest, EveryBoundItselfIsAccepted) {
  for (const OptionDoc& doc : OptionTable()) {
    for (const Value& value : InRange(doc)) {
      FitOptions options;
      EXPECT_TRUE(SetOption(doc.name, value, &options).ok()) << doc.name;
      std::visit(
          [&](auto member) {
            using T = std::decay_t<decltype(options.*member)>;
            EXPECT_EQ(options.*member, std::get<T>(value)) << doc.name;
          },
          doc.member);
    }
  }
}

TEST(OptionsTest, ValuesOfAnotherKindAreRefused) {
  for (const OptionDoc& doc : OptionTable()) {
    for (const Value& value :
         {Value(int64_t{1}), Value(0.5), Value(true), Value(std::string("1"))}) {
      FitOptions options;
      const bool fits = std::visit(
          [&](auto member) {
            using T = std::decay_t<decltype(options.*member)>;
            return std::holds_alternative<T>(value) ||
                   (std::is_same_v<T, double> && std::holds_alternative<int64_t>(value));
          },
          doc.member);
      if (!fits) ExpectRefused(SetOption(doc.name, value, &options), doc.name);
    }
  }
}

TEST(OptionsTest, TheTableIsWellKept) {
  std::set<std::string> names;
  for (const OptionDoc& doc : OptionTable()) {
    EXPECT_TRUE(names.insert(doc.name).second) << doc.name;
    EXPECT_FALSE(doc.doc.empty()) << doc.name;
    EXPECT_LE(doc.min, doc.max) << doc.name;
  }
  FitOptions options;
  ExpectRefused(SetOption("no_such_thing", int64_t{1}, &options), "no_such_thing");
}

TEST(OptionsTest, TheDefaultsSuitEveryTarget) {
  EXPECT_TRUE(ValidateOptions(FitOptions(), 1).ok());
  EXPECT_TRUE(ValidateOptions(FitOptions(), 100).ok());
}

TEST(OptionsTest, CombinationsThatCannotBeAreRefusedByName) {
  const auto refused = [](const std::function<void(FitOptions*)>& change, const char* field,
                          int dim = 3) {
    FitOptions options;
    change(&options);
    ExpectRefused(ValidateOptions(options, dim), field);
  };
  refused([](FitOptions* o) { o->method = "magic"; }, "method");
  refused([](FitOptions* o) { o->latent = "uniform"; }, "linear_skip");
  refused([](FitOptions* o) { o->latent_dim = 2; }, "latent_dim");
  refused([](FitOptions* o) { o->sigma_scale = 1; }, "sigma_scale");
  refused([](FitOptions* o) { o->linear_skip = false, o->sigma = "network"; }, "sigma");
  refused([](FitOptions* o) { o->linear_skip = false, o->sigma = "vector", o->latent = "uniform"; },
          "proposal_base");
  refused([](FitOptions* o) { o->points = 65536, o->hidden = 8192; }, "points");
  refused([](FitOptions* o) { o->couplings = 256, o->coupling_hidden = 8192; }, "couplings", 100);
  refused([](FitOptions* o) { o->hidden = 8192; }, "hidden", 10000);
  refused([](FitOptions* o) { o->evidence_draws = 1 << 22; }, "evidence_draws", 100);
}

TEST(OptionsTest, RunFitChecksBeforeItRuns) {
  ThreadPool pool(1);
  const test::FailingTarget target(0);
  FitOptions options;
  options.inner_samples = 0;
  ExpectRefused(RunFit(target, options, pool).status(), "inner_samples");
  options = FitOptions();
  options.flow_steps = 0;
  ExpectRefused(RunFit(target, options, pool).status(), "flow_steps");
}

TEST(PresetsTest, EveryNameIsFoundAndValid) {
  std::set<std::string> names;
  for (const Preset& preset : Presets()) {
    EXPECT_TRUE(names.insert(preset.name).second) << preset.name;
    EXPECT_FALSE(preset.doc.empty());
    const absl::StatusOr<FitOptions> found = FindPreset(preset.name);
    ASSERT_TRUE(found.ok());
    EXPECT_EQ(found->iterations, preset.options.iterations);
    EXPECT_TRUE(ValidateOptions(*found, 2).ok()) << preset.name;
  }
  for (const char* method : {"aisivi_", "bsivi_"}) {
    for (const char* target : {"banana", "multimodal", "x_shaped", "logistic", "diffusion"}) {
      EXPECT_TRUE(names.contains(std::string(method) + target)) << method << target;
    }
  }
  const absl::Status status = FindPreset("nothing").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_NE(status.message().find("aisivi_banana"), absl::string_view::npos);
}

TEST(OptionsTest, NetworksGrowWithTheTarget) {
  FitOptions options;
  EXPECT_EQ(FamilyHidden(options, 1), 64);
  EXPECT_EQ(FamilyHidden(options, 16), 64);
  EXPECT_EQ(FamilyHidden(options, 22), 96);
  EXPECT_EQ(FamilyHidden(options, 10000), 128);
  options.hidden = 7;
  EXPECT_EQ(FamilyHidden(options, 22), 7);
}

// The published figures: m, k, chunks, iterations, E, hidden, couplings (PRESETS table).
TEST(PresetsTest, CarryThePublishedFigures) {
  const FitOptions banana = *FindPreset("aisivi_banana");
  EXPECT_EQ(banana.points, 128);
  EXPECT_EQ(banana.inner_samples, 4096);
  EXPECT_EQ(banana.chunks, 2);
  EXPECT_EQ(banana.flow_pretrain_iterations, 100);
  EXPECT_EQ(banana.iterations, 4000);
  EXPECT_EQ(banana.couplings, 6);
  const FitOptions logistic = *FindPreset("aisivi_logistic");
  EXPECT_EQ(logistic.points, 100);
  EXPECT_EQ(logistic.inner_samples, 9182);
  EXPECT_EQ(logistic.latent_dim, 10);
  EXPECT_EQ(logistic.hidden, 100);
  EXPECT_EQ(logistic.couplings, 16);
  EXPECT_DOUBLE_EQ(logistic.flow_learning_rate, 5e-5);
  const FitOptions diffusion = *FindPreset("aisivi_diffusion");
  EXPECT_EQ(diffusion.latent_dim, 100);
  EXPECT_EQ(diffusion.couplings, 32);
  EXPECT_EQ(diffusion.decay_every, 2000);
  EXPECT_DOUBLE_EQ(diffusion.decay, 0.9);
  const FitOptions shared = *FindPreset("bsivi_logistic");
  EXPECT_EQ(shared.method, "bsivi");
  EXPECT_EQ(shared.inner_samples * shared.chunks, 91820);
  EXPECT_DOUBLE_EQ(shared.sigma_scale, 1.0);
  for (const Preset& preset : Presets()) {
    EXPECT_EQ(preset.options.latent, "uniform") << preset.name;
    EXPECT_FALSE(preset.options.linear_skip) << preset.name;
    EXPECT_EQ(preset.options.warm_start, "none") << preset.name;
  }
}

}  // namespace
}  // namespace aisivi
