#include "client/experiments/significance_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/client/experiments/folder.h"

namespace aisivi::experiments {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

// Gaps of both methods, seed by seed; log Z is 0.
std::vector<FitResult> PairedResults(const std::vector<double>& first,
                                     const std::vector<double>& second) {
  std::vector<FitResult> results;
  for (size_t i = 0; i < first.size(); ++i) {
    for (const double gap : {first[i], second[i]}) {
      FitResult result;
      result.key = {"banana", gap == first[i] ? "aisivi" : "bsivi", "", "", i + 1};
      result.state = "SUCCEEDED";
      result.known_log_z = 0;
      result.log_z = 0.001 * static_cast<double>(i);
      result.elbo_lower = -gap;
      result.seconds = 2;
      results.push_back(result);
    }
  }
  return results;
}

PairedQuantity GapOf(const std::vector<double>& first, const std::vector<double>& second) {
  return PairResults(PairedResults(first, second))[1];
}

TEST(Significance, PairsBySeed) {
  const PairedQuantity gap = GapOf({0.1, 0.2, 0.3}, {0.4, 0.3, 0.7});
  EXPECT_EQ(gap.name, "gap");
  EXPECT_EQ(gap.seeds, (std::vector<uint64_t>{1, 2, 3}));
  EXPECT_NEAR(gap.t.mean, -0.8 / 3, 1e-12);
  EXPECT_EQ(gap.rank.w, 0);
}

TEST(Significance, ASeedWithoutANumberIsLeftOut) {
  const PairedQuantity gap = GapOf({0.1, kNotMeasured, 0.3}, {0.4, 0.3, 0.7});
  EXPECT_EQ(gap.seeds, (std::vector<uint64_t>{1, 3}));
  EXPECT_EQ(gap.left_out, 1);
}

TEST(Significance, ADifferenceInWords) {
  const std::string text =
      VerdictInWords(GapOf({0.1, 0.12, 0.11, 0.1, 0.13, 0.12}, {0.3, 0.33, 0.35, 0.31, 0.36, 0.32}),
                     "aisivi", "bsivi");
  EXPECT_THAT(text, StartsWith("The gap of aisivi is smaller than that of bsivi, by 0.215 nats"));
  EXPECT_THAT(text, HasSubstr("signed rank: p = 0.031"));
  EXPECT_THAT(text, HasSubstr("Both tests see a difference"));
}

TEST(Significance, NoDifferenceInWords) {
  const std::string text = VerdictInWords(
      GapOf({0.1, 0.3, 0.1, 0.3, 0.1, 0.3}, {0.3, 0.1, 0.31, 0.12, 0.29, 0.1}), "a", "b");
  EXPECT_THAT(text, StartsWith("No difference of the gap between a and b was found"));
  EXPECT_THAT(text, HasSubstr("95 % interval -"));
}

TEST(Significance, TooFewSeedsForTheRankTestAreTold) {
  const std::string text = VerdictInWords(GapOf({0.1, 0.11, 0.1}, {0.3, 0.32, 0.31}), "a", "b");
  EXPECT_THAT(text, StartsWith("Undecided: of the gap of a and b only the paired t test sees"));
  EXPECT_THAT(text, HasSubstr("With 3 seeds the signed-rank test never can"));
}

TEST(Significance, OneSeedCannotBeCompared) {
  EXPECT_THAT(VerdictInWords(GapOf({0.1}, {0.2}), "a", "b"), HasSubstr("fewer than two seeds"));
}

TEST(Significance, ReportAndTables) {
  const Folder folder;
  Settings settings;
  settings.out = folder.path();
  const std::vector<FitResult> results = PairedResults({0.1, kNotMeasured, 0.1}, {0.3, 0.32, 0.31});
  ASSERT_TRUE(
      WriteSignificanceReport(settings, {"aisivi", "bsivi"}, results, PairResults(results)).ok());
  const std::string report = ReadFile(folder / "report.md");
  EXPECT_THAT(report, StartsWith("# aisivi and bsivi on banana\n"));
  EXPECT_THAT(report, HasSubstr("Seeds left out, because a fit had no such number: 1."));
  EXPECT_THAT(report, HasSubstr("unbounded: too few seeds"));
  EXPECT_THAT(ReadFile(folder / "pairs.csv"), HasSubstr("gap,3,0.1,0.31,"));
  EXPECT_THAT(ReadFile(folder / "significance.csv"), HasSubstr("gap,2,1,"));
}

}  // namespace
}  // namespace aisivi::experiments
