// The result of a published run is its last iterate.
#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

#include "engine/fit/schedule.h"
#include "engine/fit/start.h"
#include "engine/fit/trainer.h"
#include "engine/methods/methods.h"
#include "tests/engine/fit/testing.h"

namespace aisivi {
namespace {

FitOptions PublishedMultimodal(int64_t iterations) {
  FitOptions options = *FindPreset("aisivi_multimodal");
  options.iterations = iterations;
  options.points = 32;
  options.inner_samples = 16;
  options.hidden = 16;
  options.flow_pretrain_iterations = 3;
  options.evidence_draws = 64;
  options.evidence_inner_samples = 8;
  return options;
}

TEST(KeepLastTest, TheParametersAreThoseOfTheLastStep) {
  const auto target = test::Make("multimodal");
  ThreadPool pool(2);
  FitOptions options = PublishedMultimodal(40);
  const auto last = RunFit(*target, options, pool);
  ASSERT_TRUE(last.ok()) << last.status();
  // The same steps by hand.
  const FitOptions own = options;
  std::vector<std::string> log;
  ModelState state = StartModels(*target, own, pool, nullptr, &log)->starts.front().state;
  Trainer trainer(*target, own, **FindMethod("aisivi"), pool, &state);
  for (int64_t i = 0; i < own.flow_pretrain_iterations; ++i) trainer.FlowStep(1);
  const Schedule schedule(own);
  StepReport report;
  for (int64_t i = 0; i < own.iterations; ++i) {
    ASSERT_TRUE(*trainer.Step(schedule.RateFactor(i), &report));
  }
  const Component& made = last->model->state().components.front();
  EXPECT_EQ(made.family.parameters(), state.components.front().family.parameters());
  EXPECT_EQ(made.proposal.parameters(), state.components.front().proposal.parameters());
  options.keep_last = false;
  const auto best = RunFit(*target, options, pool);
  ASSERT_TRUE(best.ok()) << best.status();
  EXPECT_NE(best->model->state().components.front().family.parameters(), made.family.parameters());
}

TEST(KeepLastTest, WhereEveryStepIsSkippedThereIsStillAResult) {
  const test::SpoiledTarget target([](const Eigen::VectorXd&, double* log_p, Eigen::VectorXd*) {
    *log_p = std::numeric_limits<double>::quiet_NaN();
  });
  ThreadPool pool(2);
  const auto result = RunFit(target, PublishedMultimodal(30), pool);
  ASSERT_TRUE(result.ok()) << result.status();
  ASSERT_NE(result->model, nullptr);
  EXPECT_TRUE(result->model->state().components.front().family.parameters().allFinite());
}

}  // namespace
}  // namespace aisivi
