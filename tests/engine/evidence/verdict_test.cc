#include "engine/evidence/verdict.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <random>

#include "engine/fit/progress.h"
#include "tests/engine/evidence/testing.h"
#include "tests/engine/not_finite.h"

namespace aisivi {
namespace {

using test::kInfinity;
using test::LineGaussian;
using ::testing::HasSubstr;
using ::testing::StartsWith;

// Good in every respect.
VerdictInput Fine() {
  VerdictInput input;
  input.evidence.log_z = -3;
  input.evidence.standard_error = 0.01;
  input.evidence.elbo_lower = -3.02;
  input.evidence.elbo_upper = -3.01;
  input.evidence.ess = 800;
  input.evidence.pareto_k = 0.3;
  input.evidence.largest_weight = 40;
  input.evidence.draws = 1000;
  input.evidence.inner_samples = 64;
  input.score_residual = 0.5;
  input.dimension = 5;
  input.r_hat = 1.002;
  input.search = {
      .end = MultistartEnd::kComplete, .searches = 256, .modes = 3, .radius = 1000, .unmet = 0.001};
  return input;
}

const Criterion* Find(const FitVerdict& verdict, const std::string& name) {
  for (const Criterion& criterion : verdict.criteria) {
    if (criterion.name == name) return &criterion;
  }
  return nullptr;
}

TEST(VerdictTest, AFineFitIsGood) {
  const FitVerdict verdict = JudgeFit(Fine());
  EXPECT_EQ(verdict.verdict, Verdict::kGood);
  EXPECT_EQ(verdict.criteria.size(), 9u);
  EXPECT_THAT(verdict.sentence,
              StartsWith("Good: q is about 0.02 nats from the posterior over what was "
                         "looked at: 3 modes met by 256 searches within 1000 "
                         "standard deviations"));
  for (const Criterion& criterion : verdict.criteria) {
    EXPECT_EQ(criterion.verdict, Verdict::kGood) << criterion.name;
    EXPECT_FALSE(criterion.explanation.empty()) << criterion.name;
  }
}

struct Threshold {
  std::string name;
  std::function<void(double, VerdictInput*)> set;
  double good, usable;  // the last values that pass
  double worse;         // a step beyond
};

std::vector<Threshold> Thresholds() {
  return {
      {"gap", [](double x, VerdictInput* i) { i->evidence.log_z = i->evidence.elbo_lower + x; },
       0.1 - 1e-9, 0.5 - 1e-9, 1e-6},
      {"sandwich_width",
       [](double x, VerdictInput* i) { i->evidence.elbo_upper = i->evidence.elbo_lower + x; },
       0.05 - 1e-9, 0.25 - 1e-9, 1e-6},
      {"log_z_standard_error", [](double x, VerdictInput* i) { i->evidence.standard_error = x; },
       0.05, 0.25, 1e-6},
      {"ess_share", [](double x, VerdictInput* i) { i->evidence.ess = 1000 * x; }, 0.5, 0.1, -1e-6},
      {"pareto_k", [](double x, VerdictInput* i) { i->evidence.pareto_k = x; }, 0.5, 0.7, 1e-6},
      {"non_finite_share",
       [](double x, VerdictInput* i) {
         i->evidence.non_finite = static_cast<int64_t>(std::ceil(1000 * x));
       },
       0.001, 0.05, 1e-6},
      {"score_residual", [](double x, VerdictInput* i) { i->score_residual = 5 * x; }, 1.0, 1e9,
       1e-6},
      {"r_hat", [](double x, VerdictInput* i) { i->r_hat = x; }, 1.01, 1.05, 1e-6},
      {"mode_search", [](double x, VerdictInput* i) { i->search.unmet = x; }, 0.01, 0.2, 1e-6},
  };
}

TEST(VerdictTest, EveryThresholdIsHeldAndTheWorstCounts) {
  for (const Threshold& t : Thresholds()) {
    const auto judge = [&](double value) {
      VerdictInput input = Fine();
      t.set(value, &input);
      const FitVerdict verdict = JudgeFit(input);
      EXPECT_EQ(verdict.verdict, Find(verdict, t.name)->verdict) << t.name << " " << value;
      if (verdict.verdict != Verdict::kGood) {
        EXPECT_THAT(verdict.sentence, HasSubstr(t.name + " is "));
      }
      return verdict.verdict;
    };
    EXPECT_EQ(judge(t.good), Verdict::kGood) << t.name;
    EXPECT_EQ(judge(t.good + t.worse), Verdict::kUsable) << t.name;
    EXPECT_EQ(judge(t.usable), Verdict::kUsable) << t.name;
    if (t.name == "score_residual") continue;
    EXPECT_EQ(judge(t.usable + t.worse), Verdict::kDoNotTrust) << t.name;
  }
}

TEST(VerdictTest, WhatIsUnknownByNatureIsLeftOut) {
  VerdictInput input = Fine();
  input.score_residual = kNotAvailable;
  input.r_hat = kNotAvailable;
  const FitVerdict verdict = JudgeFit(input);
  EXPECT_EQ(verdict.verdict, Verdict::kGood);
  EXPECT_EQ(Find(verdict, "score_residual"), nullptr);
  EXPECT_EQ(Find(verdict, "r_hat"), nullptr);
}

TEST(VerdictTest, ASearchThatDidNotEndByItselfIsNeverGood) {
  for (const MultistartEnd end :
       {MultistartEnd::kNotMade, MultistartEnd::kTooManyModes, MultistartEnd::kOutOfWork,
        MultistartEnd::kNoMode, MultistartEnd::kNotFitted}) {
    VerdictInput input = Fine();
    input.search.end = end;
    const FitVerdict verdict = JudgeFit(input);
    EXPECT_EQ(verdict.verdict, Verdict::kUsable);
    EXPECT_THAT(verdict.sentence, HasSubstr(Describe(input.search)));
  }
  VerdictInput input = Fine();
  input.search.end = MultistartEnd::kOutOfWork;
  input.search.unmet = 0.21;
  EXPECT_EQ(JudgeFit(input).verdict, Verdict::kDoNotTrust);
  // Ends that cannot be told apart, as in the neck of a funnel, prove nothing either way.
  input.search.end = MultistartEnd::kTooManyModes;
  EXPECT_EQ(JudgeFit(input).verdict, Verdict::kUsable);
  input.search = {};
  EXPECT_EQ(JudgeFit(input).verdict, Verdict::kUsable);
  EXPECT_THAT(JudgeFit(input).sentence, HasSubstr("no search for modes was made"));
}

TEST(VerdictTest, WhatShouldBeKnownAndIsNotCondemns) {
  const FitVerdict nothing = JudgeFit(VerdictInput());
  EXPECT_EQ(nothing.verdict, Verdict::kDoNotTrust);
  EXPECT_TRUE(nothing.criteria.empty());
  EXPECT_THAT(nothing.sentence, HasSubstr("not estimated"));
  VerdictInput input = Fine();
  input.evidence.elbo_lower = kNotAvailable;
  const FitVerdict partial = JudgeFit(input);
  EXPECT_EQ(partial.verdict, Verdict::kDoNotTrust);
  EXPECT_THAT(partial.sentence, HasSubstr("gap is unknown"));
  input = Fine();
  input.evidence.standard_error = kInfinity;
  EXPECT_EQ(JudgeFit(input).verdict, Verdict::kDoNotTrust);
}

TEST(VerdictTest, SeveralReasonsAreAllNamed) {
  VerdictInput input = Fine();
  input.evidence.pareto_k = 0.93;
  input.evidence.ess = 10;
  input.r_hat = 1.02;
  const FitVerdict verdict = JudgeFit(input);
  EXPECT_THAT(verdict.sentence,
              StartsWith("Do not trust: ess_share is 0.01 (at least 0.1), pareto_k is 0.93 (at "
                         "most 0.7)"));
  EXPECT_THAT(verdict.sentence, ::testing::Not(HasSubstr("r_hat")));
}

// Good in every respect, by a sampler.
VerdictInput FineSampling() {
  VerdictInput input;
  input.evidence.kind = EvidenceKind::kAnnealing;
  input.evidence.log_z = -3;
  input.evidence.standard_error = 0.03;
  input.evidence.ess = 900;
  input.evidence.draws = 4096;
  input.evidence.wanted_error = 0.03;
  input.r_hat = 1.002;
  input.search = Fine().search;
  return input;
}

TEST(VerdictTest, SamplingIsJudgedByWhatItKnows) {
  const FitVerdict verdict = JudgeFit(FineSampling());
  EXPECT_EQ(verdict.verdict, Verdict::kGood) << verdict.sentence;
  EXPECT_EQ(verdict.criteria.size(), 5u);
  EXPECT_EQ(Find(verdict, "gap"), nullptr);
  EXPECT_EQ(Find(verdict, "pareto_k"), nullptr);
  EXPECT_THAT(verdict.sentence, StartsWith("Good: log Z is known to 0.03 nats"));
  EXPECT_THAT(verdict.sentence, ::testing::Not(HasSubstr(" q ")));
}

TEST(VerdictTest, EveryThresholdOfSamplingIsHeld) {
  const std::vector<Threshold> thresholds = {
      {"log_z_standard_error",
       [](double x, VerdictInput* i) {
         i->evidence.standard_error = x;
         i->evidence.wanted_error = 0;
       },
       0.05, 0.25, 1e-6},
      {"r_hat", [](double x, VerdictInput* i) { i->r_hat = x; }, 1.01, 1.05, 1e-6},
      {"ess", [](double x, VerdictInput* i) { i->evidence.ess = x; }, 400, 100, -1e-6},
      {"mode_search", [](double x, VerdictInput* i) { i->search.unmet = x; }, 0.01, 0.2, 1e-6},
  };
  for (const Threshold& t : thresholds) {
    const auto judge = [&](double value) {
      VerdictInput input = FineSampling();
      t.set(value, &input);
      const FitVerdict verdict = JudgeFit(input);
      EXPECT_EQ(verdict.verdict, Find(verdict, t.name)->verdict) << t.name << " " << value;
      return verdict.verdict;
    };
    EXPECT_EQ(judge(t.good), Verdict::kGood) << t.name;
    EXPECT_EQ(judge(t.good + t.worse), Verdict::kUsable) << t.name;
    EXPECT_EQ(judge(t.usable), Verdict::kUsable) << t.name;
    EXPECT_EQ(judge(t.usable + t.worse), Verdict::kDoNotTrust) << t.name;
  }
}

TEST(VerdictTest, SamplingThatWasCutShortIsUsableAtBest) {
  VerdictInput input = FineSampling();
  input.evidence.standard_error = 0.031;
  EXPECT_EQ(JudgeFit(input).verdict, Verdict::kUsable);
  EXPECT_THAT(JudgeFit(input).sentence, HasSubstr("error_ratio is 1.03 (at most 1)"));
  input.evidence.standard_error = kInfinity;
  EXPECT_EQ(JudgeFit(input).verdict, Verdict::kDoNotTrust);
  input = FineSampling();
  input.r_hat = kNotAvailable;
  EXPECT_EQ(JudgeFit(input).verdict, Verdict::kDoNotTrust);
  EXPECT_THAT(JudgeFit(input).sentence, HasSubstr("r_hat is unknown"));
}

// Whatever else is known: their bias is in no error.
TEST(VerdictTest, UnadjustedMovesAreUsableAtBest) {
  EXPECT_EQ(Find(JudgeFit(FineSampling()), "kernel_bias"), nullptr);
  VerdictInput input = FineSampling();
  input.evidence.kernel_bias = 0.01;
  EXPECT_EQ(JudgeFit(input).verdict, Verdict::kUsable);
  EXPECT_THAT(JudgeFit(input).sentence, HasSubstr("kernel_bias is 0.01 (at most 0)"));
  input.evidence.kernel_bias = 0.5;
  EXPECT_EQ(JudgeFit(input).verdict, Verdict::kUsable);
  for (const double worse : {0.5 + 1e-6, kNotAvailable}) {
    input.evidence.kernel_bias = worse;
    EXPECT_EQ(JudgeFit(input).verdict, Verdict::kDoNotTrust);
  }
}

Verdict TailOf(double pareto_k, double ess_share, double largest_weight, int64_t draws = 8192) {
  EvidenceEstimate e;
  e.pareto_k = pareto_k;
  e.ess = ess_share * static_cast<double>(draws);
  e.largest_weight = largest_weight;
  e.draws = draws;
  return JudgeTail(e);
}

TEST(VerdictTest, TheTailIsJudgedWhereItCanHarm) {
  EXPECT_EQ(TailOf(0.45, 0.3, 200), Verdict::kGood);
  EXPECT_EQ(TailOf(0.6, 0.3, 200), Verdict::kUsable);
  EXPECT_EQ(TailOf(0.8, 0.49, 10), Verdict::kDoNotTrust);
  EXPECT_EQ(TailOf(0.8, 0.5, 10), Verdict::kGood);
  // u = 10 (w − 1)/M for k = 1: 0.0195, 0.0208, 0.0977, 0.111.
  EXPECT_EQ(TailOf(1.0, 0.99, 17), Verdict::kGood);
  EXPECT_EQ(TailOf(1.0, 0.99, 18), Verdict::kUsable);
  EXPECT_EQ(TailOf(1.0, 0.99, 81), Verdict::kUsable);
  EXPECT_EQ(TailOf(1.0, 0.99, 92), Verdict::kDoNotTrust);
  EXPECT_EQ(TailOf(1.0, 0.99, 47, 4096), Verdict::kDoNotTrust);
  // (1 − e^-2)/0.2 = 4.3 (w − 1)/M for k = 0.8: 0.0195 and 0.0206.
  EXPECT_EQ(TailOf(0.8, 0.95, 38), Verdict::kGood);
  EXPECT_EQ(TailOf(0.8, 0.95, 40), Verdict::kUsable);
  // (e^5 − 1)/0.5 = 295 (w − 1)/M for k = 1.5: 0.0361 and 0.108.
  EXPECT_EQ(TailOf(1.5, 0.999, 2), Verdict::kUsable);
  EXPECT_EQ(TailOf(1.5, 0.999, 4), Verdict::kDoNotTrust);
  // Weights that are equal but for a few: what these add is small, whatever its shape.
  EXPECT_EQ(TailOf(2.0, 0.99999, 1.005), Verdict::kGood);
  // However much such a tail could hide, a light one is light.
  EXPECT_EQ(TailOf(0.3, 0.91, 4000), Verdict::kGood);
  EXPECT_EQ(TailOf(3.0, 1 - 1e-8, 1.001), Verdict::kGood);
  EXPECT_EQ(TailOf(-1.0, 1.0, 1), Verdict::kGood);
  EXPECT_EQ(TailOf(0.1, 0.9, 2, 24), Verdict::kDoNotTrust);
  EXPECT_EQ(TailOf(kNotAvailable, 0.9, 2), Verdict::kDoNotTrust);
  EXPECT_EQ(TailOf(0.1, kNotAvailable, 2), Verdict::kDoNotTrust);
}

// Weights 1 + c X with X generalised Pareto of shape 0.8, mean 1/(1 − 0.8): their variance is
// infinite, but where the rule says so the mean is right to 2 %, and to less than half of that as a
// rule.
TEST(VerdictTest, AHeavyTailOfNearlyEqualWeightsDoesNoHarm) {
  constexpr double kShape = 0.8;
  constexpr int64_t kDraws = 8192;
  int heavy = 0;
  double squares = 0;
  for (uint32_t seed = 0; seed < 100; ++seed) {
    const double c = 0.001 * (1 + seed % 10);
    std::mt19937_64 random(seed);
    std::uniform_real_distribution<double> uniform(0, 1);
    DrawBatch draws;
    draws.z = Eigen::MatrixXd::Zero(1, kDraws);
    draws.log_q = draws.log_q_upper = Eigen::VectorXd::Zero(kDraws);
    draws.log_p.resize(kDraws);
    for (double& w : draws.log_p) {
      w = std::log1p(c * (std::pow(1 - uniform(random), -kShape) - 1) / kShape);
    }
    const EvidenceEstimate e = EvidenceFromDraws(draws, 1);
    if (e.pareto_k <= 0.7 || JudgeTail(e) != Verdict::kGood) continue;
    ++heavy;
    const double error = e.log_z - std::log(1 + c / (1 - kShape));
    EXPECT_LT(std::abs(error), 0.02) << seed;
    squares += error * error;
  }
  EXPECT_GT(heavy, 30);
  EXPECT_LT(std::sqrt(squares / heavy), 0.008);
}

TEST(VerdictTest, TheScoreResidualIsThatOfTheEndWithoutOutliers) {
  EXPECT_TRUE(std::isnan(TypicalScoreResidual({})));
  std::vector<FitProgress> history(3);
  EXPECT_TRUE(std::isnan(TypicalScoreResidual(history)));
  const auto add = [&](double residual, bool of_result = true) {
    FitProgress& report = history.emplace_back();
    report.score_residual = residual;
    report.of_result = of_result;
  };
  add(3, false);  // of a training that was thrown away
  EXPECT_TRUE(std::isnan(TypicalScoreResidual(history)));
  for (const double residual : {5.0, 1.0, 900.0}) add(residual);
  add(7000, false);
  EXPECT_EQ(TypicalScoreResidual(history), 5);
  history.resize(400);
  for (int i = 0; i < 300; ++i) add(i < 270 ? 7 : 2);
  history.back().score_residual = 900;
  EXPECT_EQ(TypicalScoreResidual(history), 2);
}

FitVerdict JudgeStandardNormalAs(const Target& target) {
  ThreadPool pool(2);
  const auto evidence = EstimateEvidence(*test::StandardNormal(), target, 4, 8192, 4, pool);
  EXPECT_TRUE(evidence.ok()) << evidence.status();
  VerdictInput input;
  input.evidence = *evidence;
  input.search = Fine().search;
  return JudgeFit(input);
}

TEST(VerdictTest, RealFitsAreJudgedRightly) {
  EXPECT_EQ(JudgeStandardNormalAs(*LineGaussian(0, 1)).verdict, Verdict::kGood);
  EXPECT_EQ(JudgeStandardNormalAs(*LineGaussian(0.3, 0.98)).verdict, Verdict::kGood);
  // KL = δ²/2 = 0.28.
  EXPECT_EQ(JudgeStandardNormalAs(*LineGaussian(0.75, 1)).verdict, Verdict::kUsable);
  EXPECT_EQ(JudgeStandardNormalAs(*LineGaussian(3, 1)).verdict, Verdict::kDoNotTrust);
  // Far too narrow: k̂ → 1 − 1/16.
  EXPECT_EQ(JudgeStandardNormalAs(*LineGaussian(0, 4)).verdict, Verdict::kDoNotTrust);
}

}  // namespace
}  // namespace aisivi
