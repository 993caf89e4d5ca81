#include "client/experiments/toy_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "client/experiments/toy_density.h"
#include "tests/client/experiments/folder.h"

namespace aisivi::experiments {
namespace {

using testing::HasSubstr;

ToySummary ExampleSummary(std::vector<double> forward, double published) {
  ToySummary summary;
  summary.target = "banana";
  summary.variant = {"aisivi", true};
  summary.published = published;
  summary.forward_error.assign(forward.size(), 0.001);
  summary.forward = std::move(forward);
  return summary;
}

TEST(ToyReport, ComparisonInWords) {
  EXPECT_EQ(Comparison(ExampleSummary({0.09}, 0.0853)), "As published.");
  EXPECT_EQ(Comparison(ExampleSummary({0.02}, 0.08)),
            "Closer to the target than published, by a factor of 4.0.");
  EXPECT_EQ(Comparison(ExampleSummary({0.4}, 0.08)),
            "Farther from the target than published, by a factor of 5.0.");
  EXPECT_EQ(Comparison(ExampleSummary({-0.0005}, 0.08)),
            "Closer to the target than published: zero within three Monte Carlo errors.");
  ToySummary noisy = ExampleSummary({0.2}, 0.08);
  noisy.forward_error = {0.05};
  EXPECT_EQ(Comparison(noisy), "As published, within three of our Monte Carlo errors.");
  EXPECT_EQ(Comparison(ExampleSummary({}, 0.08)), "No fit succeeded.");
  EXPECT_EQ(Comparison(ExampleSummary({kNotMeasured}, 0.08)), "Ours is not finite.");
  EXPECT_EQ(Comparison(ExampleSummary({0.1}, kNotMeasured)), "None is published.");
}

TEST(ToyReport, ReasonsForADifference) {
  ToySummary summary = ExampleSummary({0.2, 0.4, 0.8}, 0.08);
  summary.shortened = "iterations=20";
  EXPECT_THAT(Comparison(summary), HasSubstr("The preset was shortened."));
  summary.trimmed = {0.01, 0.02, 0.04};
  EXPECT_THAT(Comparison(summary), HasSubstr("without its largest 1 % it is 0.020."));
  EXPECT_THAT(Comparison(summary),
              HasSubstr("Our seeds differ among themselves by a factor of 4.0."));
}

TEST(ToyReport, ChangedFitsAreNotCompared) {
  ToySummary summary = ExampleSummary({0.2}, 0.08);
  summary.comparable = false;
  EXPECT_EQ(Comparison(summary), "Not to be compared: the fits were changed.");
}

TEST(ToyReport, PublishedFigures) {
  EXPECT_EQ(PublishedForwardKl("banana", "aisivi"), 0.0853);
  EXPECT_EQ(PublishedForwardKl("x_shaped", "bsivi"), 0.0034);
  EXPECT_TRUE(std::isnan(PublishedForwardKl("banana", "ksivi")));
  EXPECT_TRUE(std::isnan(PublishedForwardKl("funnel", "aisivi")));
}

// Two seeds of everything; the second of the first variant failed.
std::vector<FitResult> ToyResults() {
  std::vector<FitResult> results;
  for (const std::string& target : ToyNames()) {
    for (const Variant& variant : Variants()) {
      for (uint64_t seed = 1; seed <= 2; ++seed) {
        FitResult result;
        result.key = KeyOf(variant, target, seed, {});
        result.state = results.size() == 1 ? "FAILED" : "SUCCEEDED";
        result.known_log_z = 0;
        result.elbo_lower = -0.25 * static_cast<double>(seed);
        result.seconds = 3;
        result.measures[kForwardKl] = 0.5 * static_cast<double>(seed);
        result.measures[kForwardKlError] = 0.001;
        result.measures[kForwardKlTrimmed] = 0.125;
        results.push_back(result);
      }
    }
  }
  return results;
}

TEST(ToyReport, SummariesAreInOrder) {
  const std::vector<ToySummary> summaries = Summarise({}, ToyResults());
  ASSERT_EQ(summaries.size(), 12u);
  EXPECT_EQ(summaries[0].seeds, 2);
  EXPECT_EQ(summaries[0].succeeded, 1);
  EXPECT_EQ(summaries[5].target, "multimodal");
  EXPECT_EQ(summaries[5].variant.method, "bsivi");
  EXPECT_TRUE(summaries[5].variant.authors);
  EXPECT_EQ(summaries[5].forward, (std::vector<double>{0.5, 1}));
  EXPECT_EQ(summaries[5].reverse, (std::vector<double>{0.25, 0.5}));
}

TEST(ToyReport, TablesAndText) {
  const Folder folder;
  Settings settings;
  settings.out = folder.path();
  ASSERT_TRUE(WriteToyReport(settings, Summarise(settings, ToyResults()), {}).ok());
  const std::string report = ReadFile(folder / "report.md");
  EXPECT_THAT(report, HasSubstr("| banana | aisivi, authors' preset | 0.0853 | 0.500 |"));
  EXPECT_THAT(report, HasSubstr("| 1 of 2 |"));
  EXPECT_THAT(report, HasSubstr("0.750 (0.500 – 1.00)"));
  EXPECT_THAT(report, HasSubstr("(toy.png)"));
  EXPECT_THAT(report, HasSubstr("## Chunks of inner samples against one batch"));
  EXPECT_THAT(report, HasSubstr("banana to `inner_samples=512 iterations=1000 decay_every=500`"));
  EXPECT_THAT(ReadFile(folder / "toy.csv"),
              HasSubstr("banana,bsivi,authors,,2,2,0.3022,0.75,0.5,1,"));
}

}  // namespace
}  // namespace aisivi::experiments
