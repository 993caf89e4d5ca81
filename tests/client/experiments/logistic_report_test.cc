#include "client/experiments/logistic_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "tests/client/experiments/folder.h"

namespace aisivi::experiments {
namespace {

using testing::HasSubstr;
using testing::Not;

std::vector<FitResult> LogisticResults() {
  std::vector<FitResult> results;
  for (const char* method : {"aisivi", "reference"}) {
    FitResult result;
    result.key = {"logistic_regression", method, "", "", 1};
    result.state = "SUCCEEDED";
    result.grade = "GOOD";
    result.log_z = results.empty() ? -150.5 : -151;
    result.log_z_se = results.empty() ? 0.01 : 0.05;
    result.seconds = 4;
    if (results.empty()) {
      result.elbo_lower = -150.75;
      result.measures[kSumLogQ] = -6418.5;
    }
    results.push_back(result);
  }
  return results;
}

TEST(LogisticReport, TheExactSumTakesTheBestEvidence) {
  EXPECT_DOUBLE_EQ(ExactSum({-156915, 1000}, LogisticResults()), -6415);
  EXPECT_TRUE(std::isnan(ExactSum({-156915, 1000}, {})));
}

TEST(LogisticReport, WithReference) {
  const Folder folder;
  Settings settings;
  settings.out = folder.path();
  settings.data = "train.csv";
  settings.reference = "draws.csv";
  ASSERT_TRUE(WriteLogisticReport(settings, LogisticResults(), ReferenceSum{-156915, 1000}).ok());
  const std::string report = ReadFile(folder / "report.md");
  EXPECT_THAT(report, HasSubstr("the exact posterior scores -6415.0"));
  EXPECT_THAT(report, HasSubstr("| aisivi, defaults | 2230.4 | -150.500 | 0.010 | 0.250 | 1 | 1 | "
                                "4.0 | -6418.5 | 3.5 below the exact posterior. |"));
  EXPECT_THAT(report, HasSubstr("| reference, defaults | - | -151.000 |"));
  EXPECT_THAT(report, HasSubstr("| - | Not measured. |"));
  EXPECT_THAT(report, HasSubstr("(logistic_correlations.png)"));
  EXPECT_THAT(ReadFile(folder / "logistic.csv"),
              HasSubstr("aisivi,,1,1,1,-150.5,0.01,0.25,-6418.5,4\n"));
}

TEST(LogisticReport, WithoutReferenceTheColumnsAreLeftOutAndItSaysSo) {
  const Folder folder;
  Settings settings;
  settings.out = folder.path();
  settings.data = "train.csv";
  ASSERT_TRUE(WriteLogisticReport(settings, LogisticResults(), std::nullopt).ok());
  const std::string report = ReadFile(folder / "report.md");
  EXPECT_THAT(report, HasSubstr("No reference draws were given (`--reference FILE`)"));
  EXPECT_THAT(report, Not(HasSubstr("sum of log q over the reference")));
  EXPECT_THAT(report, HasSubstr("(logistic_pairs.png)"));
  EXPECT_THAT(report, Not(HasSubstr("logistic_correlations")));
}

}  // namespace
}  // namespace aisivi::experiments
