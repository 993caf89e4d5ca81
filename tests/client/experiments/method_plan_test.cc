#include "client/experiments/method_plan.h"

#include <gtest/gtest.h>

namespace aisivi::experiments {
namespace {

TEST(MethodPlan, QuickRunsTheDefaultsOfAllMethods) {
  Settings settings;
  settings.set = {"iterations=20"};
  const std::vector<PlannedFit> plan =
      PlanMethods(settings, {.target = "conditioned_diffusion", .subject = "diffusion"});
  ASSERT_EQ(plan.size(), 11u);
  EXPECT_EQ(plan[0].key, (FitKey{"conditioned_diffusion", "aisivi", "", "iterations=20", 1}));
  EXPECT_EQ(plan[0].title, "diffusion, aisivi, defaults, seed 1");
}

TEST(MethodPlan, PaperAddsThePresets) {
  Settings settings;
  settings.size = Size::kPaper;
  settings.methods = {"ksivi", "kpg"};
  settings.seeds = 2;
  const std::vector<PlannedFit> plan =
      PlanMethods(settings, {.target = "conditioned_diffusion", .subject = "diffusion"});
  ASSERT_EQ(plan.size(), 6u);
  EXPECT_EQ(plan[3].key.preset, "ksivi_diffusion");
  EXPECT_EQ(plan[3].key.seed, 2u);
  EXPECT_EQ(plan[3].title, "diffusion, ksivi, authors' preset, seed 2");
  EXPECT_EQ(plan[5].key.preset, "");
}

TEST(MethodPlan, ResultsThatAreTheSameAreTold) {
  std::vector<FitResult> results(4);
  const char* methods[] = {"aisivi", "bsivi", "kpg", "reference"};
  for (size_t i = 0; i < 4; ++i) {
    results[i].key = {"t", methods[i], "", "", 1};
    results[i].state = "SUCCEEDED";
    results[i].log_z = -1;
    results[i].elbo_lower = i == 0 ? -1.5 : i == 3 ? kNotMeasured : -2;
  }
  const std::string text = SameResults(GroupResults(results));
  EXPECT_EQ(text.rfind("The results of bsivi, defaults; kpg, defaults are the same", 0), 0u)
      << text;
  results.resize(2);
  EXPECT_EQ(SameResults(GroupResults(results)), "");
}

TEST(MethodPlan, Groups) {
  std::vector<FitResult> results(3);
  results[0].key = {"t", "ksivi", "", "", 1};
  results[0].state = "SUCCEEDED";
  results[0].grade = "GOOD";
  results[0].log_z = 0.5;
  results[0].measures["m"] = 2;
  results[1].key = {"t", "ksivi", "", "", 2};
  results[1].state = "FAILED";
  results[2].key = {"t", "ksivi", "ksivi_diffusion", "", 1};
  results[2].state = "SUCCEEDED";
  const std::vector<ResultGroup> groups = GroupResults(results);
  ASSERT_EQ(groups.size(), 2u);
  EXPECT_EQ(SeedsOf(groups[0]), "1 of 2");
  EXPECT_EQ(SeedsOf(groups[1]), "1");
  EXPECT_EQ(CountGood(groups[0]), 1);
  EXPECT_EQ(ValuesOf(groups[0], "m"), std::vector<double>{2});
  EXPECT_EQ(ValuesOf(groups[0], [](const FitResult& r) { return r.log_z; }),
            std::vector<double>{0.5});
  EXPECT_TRUE(ValuesOf(groups[1], "m").empty());
}

}  // namespace
}  // namespace aisivi::experiments
