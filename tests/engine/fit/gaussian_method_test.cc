// The method "gaussian": the best single Gaussian, with no training.
#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "engine/evidence/summary.h"
#include "engine/evidence/verdict.h"
#include "engine/methods/methods.h"
#include "tests/engine/fit/testing.h"

namespace aisivi {
namespace {

FitOptions GaussianOptions(FitOptions options = {}) {
  options.method = "gaussian";
  options.evidence_draws = 4096;
  options.evidence_inner_samples = 4;
  ApplyMethod(&options);
  return options;
}

TEST(GaussianMethodTest, ImpliesTheStartAlone) {
  const FitOptions plain = GaussianOptions();
  EXPECT_EQ(plain.iterations, 0);
  EXPECT_EQ(plain.warm_start, "gaussian");
  // On top of settings whose start would be no Gaussian at all.
  for (const Preset& preset : Presets()) {
    const FitOptions options = GaussianOptions(preset.options);
    EXPECT_EQ(options.iterations, 0) << preset.name;
    EXPECT_EQ(options.flow_pretrain_iterations, 0) << preset.name;
    EXPECT_EQ(options.warm_start, "gaussian") << preset.name;
    EXPECT_TRUE(options.linear_skip) << preset.name;
    EXPECT_TRUE(ValidateOptions(options, 7).ok()) << preset.name;
  }
  FitOptions other;
  other.method = "bsivi";
  ApplyMethod(&other);
  EXPECT_EQ(other.iterations, FitOptions().iterations);
  EXPECT_EQ(other.warm_start, FitOptions().warm_start);
  EXPECT_EQ((*FindMethod("gaussian"))->estimate, nullptr);
}

TEST(GaussianMethodTest, IsExactOnAGaussian) {
  const Eigen::VectorXd mean{{3.0, -40.0, 0.01}};
  const Eigen::MatrixXd covariance{{4.0, 1.2, 0.0}, {1.2, 9.0, -0.02}, {0.0, -0.02, 0.0004}};
  const auto target = MakeTarget("gaussian", {{"mean", mean}, {"covariance", covariance}});
  ASSERT_TRUE(target.ok()) << target.status();
  ThreadPool pool(2);
  for (const char* preset : {"", "bsivi_banana"}) {
    const FitOptions options =
        *preset == '\0' ? GaussianOptions() : GaussianOptions(*FindPreset(preset));
    const auto result = RunFit(**target, options, pool);
    ASSERT_TRUE(result.ok()) << result.status();
    ASSERT_NE(result->model, nullptr);
    EXPECT_NEAR(result->evidence.log_z, 0, 2e-3) << preset;
    EXPECT_NEAR(result->evidence.elbo_lower, 0, 2e-3) << preset;
    EXPECT_GT(result->evidence.ess, 0.99 * static_cast<double>(result->evidence.draws));
    VerdictInput input;
    input.evidence = result->evidence;
    input.search = result->search;
    input.dimension = 3;
    EXPECT_EQ(JudgeFit(input).verdict, Verdict::kGood) << JudgeFit(input).sentence;

    constexpr int64_t kCount = 40000;
    const auto draws = Draw(*result->model, nullptr, 1, 0, kCount, 0, pool);
    ASSERT_TRUE(draws.ok()) << draws.status();
    const auto summary = Summarize(draws->z, {}, true);
    ASSERT_TRUE(summary.ok()) << summary.status();
    for (int64_t d = 0; d < 3; ++d) {
      const double sd = std::sqrt(covariance(d, d));
      EXPECT_NEAR(summary->mean[d], mean[d], 6 * sd / std::sqrt(kCount)) << d;
      for (int64_t e = 0; e < 3; ++e) {
        EXPECT_NEAR(summary->covariance(d, e) / sd / std::sqrt(covariance(e, e)),
                    covariance(d, e) / sd / std::sqrt(covariance(e, e)), 0.04)
            << d << " " << e;
      }
    }
  }
}

// log σ is not Gaussian, so log Z is right only by its weights.
TEST(GaussianMethodTest, TheEvidenceOfConjugateRegressionIsTheFormula) {
  const absl::StatusOr<const TargetEntry*> entry = FindTarget("linear_regression");
  ASSERT_TRUE(entry.ok());
  const auto target = (*entry)->make((*entry)->example);
  ASSERT_TRUE(target.ok()) << target.status();
  const double truth = *(*entry)->known_log_z((*entry)->example);
  ThreadPool pool(2);
  const auto result = RunFit(**target, GaussianOptions(), pool);
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_LT(result->evidence.standard_error, 0.1);
  EXPECT_NEAR(result->evidence.log_z, truth, 5 * result->evidence.standard_error);
  EXPECT_LT(result->evidence.elbo_lower, truth);
  EXPECT_GT(result->evidence.elbo_lower, truth - 1);
}

}  // namespace
}  // namespace aisivi
