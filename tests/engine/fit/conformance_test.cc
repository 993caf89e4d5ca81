// Every method of the registry: whatever the target, a fit ends with a result, the same bits at any
// number of threads, and at once when asked to.
#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "engine/methods/methods.h"
#include "tests/engine/fit/testing.h"

namespace aisivi {
namespace {

using test::Make;
using test::Short;
using test::SpoiledTarget;

std::vector<std::string> Names() {
  std::vector<std::string> names;
  for (const MethodEntry& method : MethodRegistry()) names.push_back(method.name);
  return names;
}

class MethodConformanceTest : public testing::TestWithParam<std::string> {
 protected:
  const MethodEntry& Method() const { return **FindMethod(GetParam()); }
  // Finite where all is well: what samples has no bounds, but R̂.
  double Quality(const FitResult& result) const {
    return Method().samples ? result.r_hat : result.evidence.elbo_lower;
  }
  FitOptions Options(int64_t iterations = 40) const {
    FitOptions options = Short(iterations);
    options.method = GetParam();
    options.warm_start = "gaussian";
    return options;
  }
};

TEST_P(MethodConformanceTest, EndsWithEvidenceOnEveryKindOfTarget) {
  for (const char* name : {"banana", "funnel", "student_t", "eight_gaussians", "eight_schools"}) {
    const auto target = Make(name);
    FitOptions options = Options();
    options.warm_start = "auto";
    ThreadPool pool(2);
    const auto result = RunFit(*target, options, pool);
    ASSERT_TRUE(result.ok()) << name << ": " << result.status();
    ASSERT_NE(result->model, nullptr) << name;
    EXPECT_TRUE(std::isfinite(result->evidence.log_z)) << name;
    EXPECT_TRUE(std::isfinite(Quality(*result))) << name;
  }
}

TEST_P(MethodConformanceTest, TrainingDoesNotDoHarm) {
  if (Method().samples) GTEST_SKIP() << "nothing is trained";
  const auto target = Make("x_shaped");
  ThreadPool pool(2);
  FitOptions options = Options(200);
  const auto trained = RunFit(*target, options, pool);
  options.iterations = 0;
  const auto start = RunFit(*target, options, pool);
  ASSERT_TRUE(trained.ok() && start.ok());
  EXPECT_GT(trained->evidence.elbo_lower, start->evidence.elbo_lower - 0.02);
}

TEST_P(MethodConformanceTest, TheSameBitsAtAnyThreadCount) {
  const auto target = Make("banana");
  ThreadPool one(1), three(3);
  const auto a = RunFit(*target, Options(), one);
  const auto b = RunFit(*target, Options(), three);
  ASSERT_TRUE(a.ok() && b.ok());
  EXPECT_EQ(a->model->Serialize(), b->model->Serialize());
  EXPECT_EQ(a->evidence.log_z, b->evidence.log_z);
}

TEST_P(MethodConformanceTest, EndsWithAResultWhereHalfOfTheSpaceIsNotANumber) {
  const SpoiledTarget target([](const Eigen::VectorXd& z, double* log_p, Eigen::VectorXd* score) {
    if (z[0] < 0.1) return;
    *log_p = std::numeric_limits<double>::quiet_NaN();
    score->setConstant(std::numeric_limits<double>::quiet_NaN());
  });
  ThreadPool pool(2);
  const auto result = RunFit(target, Options(), pool);
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_NE(result->reason, TerminationReason::kNone);
  ASSERT_NE(result->model, nullptr);
  EXPECT_FALSE(std::isnan(result->evidence.log_z));
}

TEST_P(MethodConformanceTest, WithoutAWarmStartAndWithoutAProposalWhereItNeedsNone) {
  const MethodEntry& method = Method();
  const auto target = Make("banana");
  FitOptions options = Options();
  options.warm_start = "none";
  if (!method.needs_proposal && method.objective != nullptr) {
    options.flow_steps = 0;
    options.evidence_flow_iterations = 20;
  }
  ThreadPool pool(2);
  const auto result = RunFit(*target, options, pool);
  ASSERT_TRUE(result.ok()) << result.status();
  ASSERT_NE(result->model, nullptr);
  EXPECT_TRUE(std::isfinite(result->evidence.log_z));
}

TEST_P(MethodConformanceTest, ACancelledFitEndsAtOnce) {
  const auto target = Make("banana");
  std::atomic<bool> cancel = false;
  FitControl control;
  control.cancel = &cancel;
  control.on_progress = [&](const FitProgress& progress) {
    if (progress.phase != FitPhase::kWarmStart) cancel = true;
  };
  ThreadPool pool(2);
  FitOptions options = Options(1000000);
  options.points = 16;
  const auto result = RunFit(*target, options, pool, control);
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->reason, TerminationReason::kCancelled);
}

// The other tests have the default kind.
TEST_P(MethodConformanceTest, EveryKindOfCouplingsEndsWithEvidenceAndTheSameBits) {
  const auto target = Make("banana");
  for (const CouplingEntry& kind : CouplingRegistry()) {
    if (kind.name == FitOptions().coupling) continue;
    FitOptions options = Options(15);
    options.coupling = kind.name;
    options.evidence_draws = 128;
    options.evidence_inner_samples = 8;
    options.reference_evaluations = 20'000;
    ThreadPool one(1), three(3);
    const auto a = RunFit(*target, options, one);
    const auto b = RunFit(*target, options, three);
    ASSERT_TRUE(a.ok() && b.ok()) << kind.name << ": " << a.status();
    EXPECT_TRUE(std::isfinite(a->evidence.log_z)) << kind.name;
    EXPECT_EQ(a->model->Serialize(), b->model->Serialize()) << kind.name;
    if (!a->model->has_density()) continue;
    for (const Component& c : a->model->state().components) {
      if (!c.has_proposal) continue;
      EXPECT_EQ(EntryOf(c.proposal.config().coupling).name, kind.name);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Methods, MethodConformanceTest, testing::ValuesIn(Names()),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace aisivi
