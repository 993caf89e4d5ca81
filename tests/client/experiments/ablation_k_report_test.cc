#include "client/experiments/ablation_k_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "tests/client/experiments/folder.h"

namespace aisivi::experiments {
namespace {

using testing::HasSubstr;
using testing::Not;

// Variance 2/k times a little noise, all of it effective.
std::vector<ScoreRow> Proposal() {
  std::vector<ScoreRow> rows;
  double wobble = 1.02;
  for (const int64_t k : {10, 100, 1000, 10000}) {
    const auto n = static_cast<double>(k);
    rows.push_back({"proposal", k, {2 * wobble / n, 0, 0.1 / n}, 0.6 * n, 1e-4 * n, 2e6});
    wobble = 1 / wobble;
  }
  return rows;
}

std::vector<ScoreRow> Prior() {
  return {{"prior", 10, {3, 1, 0.2}, 1.0, 0.1, 3e6},
          {"prior", 10000, {2.5, 0.9, 0.2}, 1.4, 0.2, 3e6}};
}

TEST(AblationK, TheVarianceOfIndependentSamplesFallsAsOneOverK) {
  EXPECT_NEAR(VariancePower(Proposal()).slope, -1, 0.01);
  const std::string text = AblationSentence(Proposal());
  EXPECT_THAT(text,
              HasSubstr("From the proposal (AISIVI) the variance changes as k to the power -1"));
  EXPECT_THAT(text, HasSubstr("which agrees with 1/k"));
  EXPECT_THAT(text, HasSubstr("With k = 10000 the inner weights are worth 6000 samples"));
  EXPECT_THAT(text, HasSubstr("the squared bias below "));
  EXPECT_THAT(text, Not(HasSubstr("nearest")));
}

TEST(AblationK, FewEffectiveSamplesAreTold) {
  std::vector<ScoreRow> rows = Prior();
  rows.insert(rows.begin() + 1, {"prior", 100, {2.9, 1, 0.2}, 1.0, 0.1, 3e6});
  const std::string text = AblationSentence(rows);
  EXPECT_THAT(text, HasSubstr("From the prior (BSIVI)"));
  EXPECT_THAT(text, HasSubstr("which is not the 1/k of independent samples"));
  EXPECT_THAT(text, HasSubstr("the squared bias 0.9"));
  EXPECT_THAT(text, HasSubstr("the score of the nearest q(z|ε)"));
}

TEST(AblationK, ExactScores) {
  const std::vector<ScoreRow> rows = {{"proposal", 10, {0, 0, 0}, 10, 0.1, 0},
                                      {"proposal", 100, {0, 0, 0}, 100, 0.1, 0}};
  EXPECT_TRUE(std::isnan(VariancePower(rows).slope));
  EXPECT_THAT(AblationSentence(rows), HasSubstr("the estimate has no variance"));
  EXPECT_EQ(AblationSentence({}), "");
}

TEST(AblationK, Report) {
  const Folder folder;
  Settings settings;
  settings.out = folder.path();
  AblationK ablation{"data.csv", 22, {}, {}, Proposal()};
  const std::vector<ScoreRow> prior = Prior();
  ablation.rows.insert(ablation.rows.end(), prior.begin(), prior.end());
  ASSERT_TRUE(WriteAblationKReport(settings, ablation).ok());
  std::string report = ReadFile(folder / "report.md");
  EXPECT_THAT(report, HasSubstr("on `data.csv` (22 coefficients"));
  EXPECT_THAT(report,
              HasSubstr("| the prior (BSIVI) | 10000 | 2.50 | 0.900 | 1.40 | 0.20 | 2.9 |"));
  EXPECT_THAT(
      report,
      HasSubstr(
          "with k = 10 and at most 2.9 MB during those with k = 10000: it does not grow with k"));
  EXPECT_THAT(ReadFile(folder / "ablation_k.csv"), HasSubstr("prior,10000,2.5,0.9,"));

  for (ScoreRow& row : ablation.rows) row.memory = std::nan("");
  ASSERT_TRUE(WriteAblationKReport(settings, ablation).ok());
  report = ReadFile(folder / "report.md");
  EXPECT_THAT(report, HasSubstr("Memory was not measured"));
  EXPECT_THAT(report, HasSubstr("| 1.40 | 0.20 | - |"));

  ablation.rows.clear();
  ablation.fit.state = "FAILED";
  ASSERT_TRUE(WriteAblationKReport(settings, ablation).ok());
  EXPECT_THAT(ReadFile(folder / "report.md"), HasSubstr("The fit ended as FAILED"));
}

}  // namespace
}  // namespace aisivi::experiments
