#include "engine/fit/options.h"

#include <gmock/gmock.h>
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
  // A spline has more numbers to a coordinate: what is the most for affine couplings is too much.
  const auto wide = [](FitOptions* o) { o->couplings = 16, o->coupling_hidden = 2048; };
  FitOptions affine, spline;
  wide(&affine), wide(&spline);
  spline.coupling = "spline";
  EXPECT_TRUE(ValidateOptions(affine, 400).ok());
  ExpectRefused(ValidateOptions(spline, 400), "couplings");
  refused([](FitOptions* o) { o->coupling = "spline", o->points = 65536; }, "points", 200);
  refused([](FitOptions* o) { o->coupling = "linear"; }, "coupling");
  refused([](FitOptions* o) { o->hidden = 8192; }, "hidden", 10000);
  refused([](FitOptions* o) { o->evidence_draws = 1 << 22; }, "evidence_draws", 100);
}

std::vector<std::string> NamesOf(const std::vector<absl::Status>& errors) {
  std::vector<std::string> names;
  for (const absl::Status& error : errors) {
    EXPECT_TRUE(absl::IsInvalidArgument(error)) << error;
    names.emplace_back(error.message().substr(0, error.message().find(':')));
  }
  return names;
}

TEST(OptionsTest, AllThatDoNotFitAreNamed) {
  using ::testing::ElementsAre;
  FitOptions options;
  EXPECT_TRUE(InvalidOptions(options, 3).empty());
  options.points = 0;
  options.decay = 2;
  options.warm_start = "hot";
  options.latent = "uniform";  // and linear_skip is told when these are right
  EXPECT_THAT(NamesOf(InvalidOptions(options, 3)), ElementsAre("points", "decay", "warm_start"));
  options = FitOptions();
  options.latent = "uniform";
  options.latent_dim = 2;
  options.sigma_scale = 1;
  EXPECT_THAT(NamesOf(InvalidOptions(options, 3)),
              ElementsAre("linear_skip", "latent_dim", "sigma_scale", "proposal_base"));
  options = FitOptions();
  options.method = "ksivi";
  options.hidden = 8192;
  options.points = 65536;  // too many for the batch, and for the kernel's pairs
  options.evidence_draws = 1 << 22;
  EXPECT_THAT(NamesOf(InvalidOptions(options, 10000)),
              ElementsAre("hidden", "points", "evidence_draws"));
  EXPECT_EQ(ValidateOptions(options, 10000), InvalidOptions(options, 10000).front());
  options.method = "magic";
  EXPECT_THAT(NamesOf(InvalidOptions(options, 10000)), ElementsAre("method"));
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

// A row of the tables of the papers' experiments.
struct Row {
  std::string name;
  int64_t points, inner_samples, chunks, pretraining, iterations;
  double flow_rate, rate, decay;
  int64_t decay_every, latent_dim, hidden, couplings;
  double sigma_scale;
};

// What the published settings have in common, then the row.
FitOptions Expected(const Row& row) {
  FitOptions o;
  const bool aisivi = row.name.find("aisivi_") == 0;
  o.method = aisivi ? "aisivi" : "bsivi";
  o.flow_steps = aisivi ? 1 : 0;  // 1: on the ε of the step
  o.keep_last = true;
  o.latent = "uniform";
  o.linear_skip = false;
  o.sigma = "vector";
  o.proposal_base = "standard";
  o.coupling_hidden = 0;  // 2 (E + D)
  o.flow_normalisation = "forward";
  o.warm_start = "none";
  o.adaptive = false;
  o.adam_beta1 = 0.9;
  o.adam_beta2 = 0.999;
  o.time_limit = 0;
  o.restarts = 1;
  o.points = row.points;
  // The k of BSIVI counts the points' own ε.
  o.inner_samples = aisivi ? row.inner_samples : row.inner_samples * row.chunks - row.points;
  o.chunks = aisivi ? row.chunks : 1;
  o.flow_pretrain_iterations = row.pretraining;
  o.iterations = row.iterations;
  o.learning_rate = row.rate;
  if (aisivi) o.flow_learning_rate = row.flow_rate;
  o.decay = row.decay;
  o.decay_every = row.decay_every;
  o.latent_dim = row.latent_dim;
  o.hidden = row.hidden;
  o.couplings = row.couplings;
  o.sigma_scale = row.sigma_scale;
  // The evidence is ours: without a proposal it takes many inner samples.
  if (!aisivi) o.evidence_inner_samples = 1 << 15;
  return o;
}

// arXiv 2506.03839 and its code: m, k, chunks, flow pretraining, iterations, rates of flow and
// family, decay and its period, E, hidden, couplings, scale of σ.
TEST(PresetsTest, CarryThePublishedFigures) {
  const std::vector<Row> rows = {
      {"aisivi_banana", 128, 4096, 2, 100, 4000, 0.01, 0.01, 0.1, 2000, 2, 128, 6, 0.1},
      {"aisivi_multimodal", 128, 512, 1, 50, 4000, 0.01, 0.01, 0.1, 2000, 2, 128, 4, 0.1},
      {"aisivi_x_shaped", 128, 256, 1, 50, 4000, 0.001, 0.01, 0.1, 2000, 2, 128, 4, 0.1},
      {"aisivi_logistic", 100, 9182, 1, 500, 10000, 5e-5, 0.001, 0.01, 5000, 10, 100, 16, 0.1},
      {"aisivi_diffusion", 128, 256, 1, 2000, 10000, 0.001, 2e-4, 0.9, 2000, 100, 128, 32, 0.1},
      {"bsivi_banana", 128, 1000, 1, 0, 1000, 0, 0.003, 0.1, 2000, 2, 128, 0, 0.1},
      {"bsivi_multimodal", 128, 2048, 1, 0, 4000, 0, 0.01, 0.1, 2000, 2, 128, 0, 0.1},
      {"bsivi_x_shaped", 128, 4096, 1, 0, 4000, 0, 0.01, 0.1, 2000, 2, 128, 0, 0.1},
      {"bsivi_logistic", 128, 9182, 10, 0, 10000, 0, 0.001, 0.01, 5000, 10, 128, 0, 1.0},
      {"bsivi_diffusion", 128, 4096, 1, 0, 10000, 0, 0.002, 0.9, 10000, 100, 128, 0, 0.1}};
  ASSERT_EQ(Presets().size(), rows.size() + 10);  // and those of other methods, below
  for (const Row& row : rows) {
    const absl::StatusOr<FitOptions> found = FindPreset(row.name);
    ASSERT_TRUE(found.ok()) << found.status();
    const FitOptions expected = Expected(row);
    EXPECT_EQ(found->method, expected.method) << row.name;
    EXPECT_EQ(found->seed, FitOptions().seed) << row.name;
    for (const OptionDoc& doc : OptionTable()) {
      std::visit(
          [&](auto member) {
            EXPECT_EQ((*found).*member, expected.*member) << row.name << ": " << doc.name;
          },
          doc.member);
    }
  }
}

// arXiv 2405.18997 and its code.
TEST(PresetsTest, CarryTheFiguresOfKsivi) {
  const FitOptions logistic = *FindPreset("ksivi_logistic"),
                   diffusion = *FindPreset("ksivi_diffusion");
  for (const FitOptions& o : {logistic, diffusion}) {
    EXPECT_EQ(o.method, "ksivi");
    EXPECT_EQ(o.kernel, "gaussian");
    EXPECT_FALSE(o.v_statistic);
    EXPECT_EQ(o.latent, "gaussian");
    EXPECT_FALSE(o.linear_skip);
    EXPECT_EQ(o.sigma, "vector");
    EXPECT_EQ(o.warm_start, "none");
    EXPECT_EQ(o.flow_steps, 0);
    EXPECT_EQ(o.decay, 0.9);
    EXPECT_GT(o.evidence_flow_iterations, 0);
  }
  EXPECT_EQ(logistic.points, 100);
  EXPECT_EQ(logistic.iterations, 20000);
  EXPECT_EQ(logistic.learning_rate, 0.001);
  EXPECT_EQ(logistic.decay_every, 3000);
  EXPECT_EQ(logistic.latent_dim, 10);
  EXPECT_EQ(logistic.hidden, 100);
  EXPECT_EQ(logistic.adam_beta2, 0.999);
  EXPECT_EQ(diffusion.points, 128);
  EXPECT_EQ(diffusion.iterations, 100000);
  EXPECT_EQ(diffusion.learning_rate, 2e-4);
  EXPECT_EQ(diffusion.decay_every, 10000);
  EXPECT_EQ(diffusion.latent_dim, 100);
  EXPECT_EQ(diffusion.hidden, 128);
  EXPECT_EQ(diffusion.adam_beta2, 0.99);
  // log σ² at the start, ρ = 1.
  const double softplus = std::log1p(std::exp(1.0));
  EXPECT_NEAR(2 * std::log(logistic.sigma_scale * softplus), -5, 1e-12);
  EXPECT_NEAR(2 * std::log(diffusion.sigma_scale * softplus), -2, 1e-12);
}

// arXiv 2506.05088 and its code: the family of KSIVI, a Gaussian proposal, k = m.
TEST(PresetsTest, CarryTheFiguresOfKpgIs) {
  for (const char* task : {"logistic", "diffusion"}) {
    const FitOptions o = *FindPreset(std::string("kpg_is_") + task),
                     family = *FindPreset(std::string("ksivi_") + task);
    EXPECT_EQ(o.method, "kpg_is");
    EXPECT_EQ(o.inner_samples, o.points);
    EXPECT_EQ(o.couplings, 0);
    EXPECT_EQ(o.flow_steps, 1);
    EXPECT_EQ(o.adam_beta2, 0.99);
    EXPECT_EQ(o.points, family.points);
    EXPECT_EQ(o.hidden, family.hidden);
    EXPECT_EQ(o.latent_dim, family.latent_dim);
    EXPECT_EQ(o.sigma_scale, family.sigma_scale);
    EXPECT_EQ(o.learning_rate, family.learning_rate);
    EXPECT_EQ(o.decay_every, family.decay_every);
  }
  EXPECT_EQ(FindPreset("kpg_is_logistic")->iterations, 200000);
  EXPECT_EQ(FindPreset("kpg_is_diffusion")->iterations, 100000);
}

// σ at the start without a skip, ρ = 1.
double FirstSigma(const FitOptions& o) { return o.sigma_scale * std::log1p(std::exp(1.0)); }

// arXiv 1808.02078 and its code.
TEST(PresetsTest, CarryTheFiguresOfUivi) {
  for (const char* task : {"banana", "multimodal", "x_shaped"}) {
    const FitOptions o = *FindPreset(std::string("uivi_") + task);
    EXPECT_EQ(o.method, "uivi");
    EXPECT_EQ(o.points, 1);
    EXPECT_EQ(o.iterations, 50000);
    EXPECT_EQ(o.learning_rate, 0.01);
    EXPECT_EQ(o.decay, 0.9);
    EXPECT_EQ(o.decay_every, 3000);
    EXPECT_EQ(o.adam_beta1, 0);
    EXPECT_EQ(o.adam_beta2, 0.9);
    EXPECT_EQ(o.latent, "gaussian");
    EXPECT_EQ(o.latent_dim, 3);
    EXPECT_EQ(o.hidden, 50);
    EXPECT_NEAR(FirstSigma(o), 0.5, 1e-12);
    EXPECT_EQ(o.chain_burn_in, 5);
    EXPECT_EQ(o.chain_samples, 5);
    EXPECT_EQ(o.chain_leapfrogs, 5);
    EXPECT_EQ(o.flow_steps, 0);
    EXPECT_TRUE(o.keep_last);
    EXPECT_GT(o.evidence_flow_iterations, 0);
  }
}

// arXiv 1805.11183 and its code.
TEST(PresetsTest, CarryTheFiguresOfSivi) {
  for (const char* task : {"multimodal", "x_shaped"}) {
    const FitOptions o = *FindPreset(std::string("sivi_") + task);
    EXPECT_EQ(o.method, "sivi");
    EXPECT_EQ(o.points, 40);
    EXPECT_EQ(o.inner_samples, 100);
    EXPECT_EQ(o.chunks, 1);
    EXPECT_EQ(o.iterations, 5000);
    EXPECT_EQ(o.learning_rate, 0.001);
    EXPECT_EQ(o.decay, 0.75);
    EXPECT_EQ(o.decay_every, 100);
    EXPECT_EQ(o.latent, "gaussian");
    EXPECT_EQ(o.latent_dim, 10);
    EXPECT_NEAR(FirstSigma(o), 0.1, 1e-12);
    EXPECT_TRUE(o.keep_last);
    EXPECT_GT(o.evidence_flow_iterations, 0);
  }
}

// arXiv 2407.00649 and its code.
TEST(PresetsTest, CarryTheFiguresOfPvi) {
  const FitOptions o = *FindPreset("pvi_x_shaped");
  EXPECT_EQ(o.method, "pvi");
  EXPECT_EQ(o.particles, 100);
  EXPECT_EQ(o.points, 250);
  EXPECT_EQ(o.iterations, 15000);
  EXPECT_EQ(o.learning_rate, 1e-4);
  EXPECT_EQ(o.decay, 1);
  EXPECT_GT(o.decay_every, 0);  // constant to the end, without the descent
  EXPECT_EQ(o.adam_beta1, 0);
  EXPECT_EQ(o.adam_beta2, 0.9);
  EXPECT_EQ(o.latent_dim, 2);
  EXPECT_EQ(o.hidden, 512);
  EXPECT_TRUE(o.linear_skip);
  // μ = √(1 − σ₀²) ε: as the authors' ε and σ = 1, in proportion.
  EXPECT_NEAR(o.sigma_scale, std::sqrt(1 - o.sigma_scale * o.sigma_scale), 1e-12);
  EXPECT_TRUE(o.keep_last);
}

// A target that their authors did not fit, or a family that ours cannot be.
TEST(PresetsTest, WhatNoSourceSupportsIsNotThere) {
  for (const char* name : {"iwhvi_banana", "sivi_banana", "pvi_banana", "pvi_multimodal",
                           "sivi_logistic", "pvi_logistic", "uivi_logistic", "uivi_diffusion"}) {
    EXPECT_FALSE(FindPreset(name).ok()) << name;
  }
}

TEST(OptionsTest, MethodsThatKeepAllPairsAreBounded) {
  FitOptions options;
  options.points = 5000;
  EXPECT_TRUE(ValidateOptions(options, 2).ok());
  for (const char* method : {"ksivi", "kpg"}) {
    options.method = method;
    ExpectRefused(ValidateOptions(options, 2), "points");
  }
  options.method = "sivi";
  options.inner_samples = 1 << 20;
  ExpectRefused(ValidateOptions(options, 2), "inner_samples");
  options.inner_samples = 64;
  EXPECT_TRUE(ValidateOptions(options, 2).ok());
}

}  // namespace
}  // namespace aisivi
