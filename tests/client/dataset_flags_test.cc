#include "client/cli/dataset_flags.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "client/cli/fit_request.h"

namespace aisivi::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

TEST(DatasetFlags, BecomeFieldsOfTheTarget) {
  FitFlags flags;
  flags.target.target = "poisson_regression";
  flags.target.dataset = {"0123", "count", "age,\"a, b\"", true};
  const absl::StatusOr<v1::Fit> fit = BuildFit(flags);
  ASSERT_TRUE(fit.ok()) << fit.status();
  const v1::PoissonRegressionTarget& target = fit->target().poisson_regression();
  EXPECT_EQ(target.dataset(), "datasets/0123");
  EXPECT_EQ(target.response(), "count");
  EXPECT_THAT(target.predictors(), ElementsAre("age", "a, b"));
  EXPECT_TRUE(target.intercept());
}

TEST(DatasetFlags, WhatIsNotGivenIsNotSet) {
  FitFlags flags;
  flags.target.target = "logistic_regression";
  flags.target.dataset.dataset = "datasets/0123";
  const absl::StatusOr<v1::Fit> fit = BuildFit(flags);
  ASSERT_TRUE(fit.ok()) << fit.status();
  const v1::LogisticRegressionTarget& target = fit->target().logistic_regression();
  EXPECT_EQ(target.dataset(), "datasets/0123");
  EXPECT_FALSE(target.has_response() || target.has_intercept());
  EXPECT_EQ(target.predictors_size(), 0);
}

TEST(DatasetFlags, MistakesNameTheFlag) {
  FitFlags flags;
  flags.target.target = "banana";
  flags.target.dataset.response = "y";
  EXPECT_EQ(BuildFit(flags).status().message(), "--dataset: fit.target.banana takes no data set");
  flags.target.target = "logistic_regression";
  flags.target.dataset.predictors = "a,\"b";
  EXPECT_THAT(std::string(BuildFit(flags).status().message()), StartsWith("--predictors:"));
}

TEST(SplitNames, ByTheRulesOfCsv) {
  EXPECT_THAT(*SplitNames("age, height ,\"say \"\"x\"\"\""),
              ElementsAre("age", "height", "say \"x\""));
  EXPECT_THAT(*SplitNames("\"#\""), ElementsAre("#"));
  EXPECT_FALSE(SplitNames("a\"b").ok());
}

TEST(DatasetName, TheIdAloneIsEnough) {
  EXPECT_EQ(DatasetName("0123"), "datasets/0123");
  EXPECT_EQ(DatasetName("datasets/0123"), "datasets/0123");
}

}  // namespace
}  // namespace aisivi::cli
