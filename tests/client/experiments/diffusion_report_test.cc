#include "client/experiments/diffusion_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "tests/client/experiments/folder.h"

namespace aisivi::experiments {
namespace {

using testing::HasSubstr;
using testing::Not;

std::vector<FitResult> DiffusionResults(bool measured) {
  std::vector<FitResult> results;
  for (const char* preset : {"", "ksivi_diffusion"}) {
    for (uint64_t seed = 1; seed <= 2; ++seed) {
      FitResult result;
      result.key = {"conditioned_diffusion", "ksivi", preset, "", seed};
      result.state = seed == 2 && *preset != '\0' ? "FAILED" : "SUCCEEDED";
      result.grade = seed == 1 ? "GOOD" : "USABLE";
      result.known_log_z = -0.5;
      result.log_z = -0.5;
      result.elbo_lower = -0.75;
      result.seconds = 4;
      if (measured) {
        result.measures[kLogMl] = 74000 + 100 * static_cast<double>(seed);
        result.measures[kMeanLogQ] = 104.25;
      }
      results.push_back(result);
    }
  }
  return results;
}

TEST(DiffusionReport, ComparisonInWords) {
  EXPECT_EQ(CompareLogMl(75000, 74521),
            "As published, up to 479: other reference draws may change as much.");
  EXPECT_EQ(CompareLogMl(75000, 60556), "Better than published, by 14444.");
  EXPECT_EQ(CompareLogMl(60000, 74062), "Worse than published, by 14062.");
  EXPECT_EQ(CompareLogMl(kNotMeasured, 74062), "Not measured.");
  EXPECT_EQ(CompareLogMl(75000, PublishedLogMl("kpg")), "None is published.");
  EXPECT_EQ(PublishedLogMl("aisivi"), 74062);
}

TEST(DiffusionReport, WithReference) {
  const Folder folder;
  Settings settings;
  settings.out = folder.path();
  settings.reference = "draws.csv";
  ASSERT_TRUE(WriteDiffusionReport(settings, DiffusionResults(true)).ok());
  const std::string report = ReadFile(folder / "report.md");
  EXPECT_THAT(report, HasSubstr("| ksivi, defaults | 74521 | 74150 | 104.25 | 0.250 (0.250 – "
                                "0.250) | -0.5000 | 2 | 1 | 4.0 | As published, up to 371"));
  EXPECT_THAT(report, HasSubstr("| ksivi, authors' preset | 74521 | 74100 |"));
  EXPECT_THAT(report, HasSubstr("| 1 of 2 |"));
  EXPECT_THAT(report, HasSubstr("`draws.csv`"));
  EXPECT_THAT(ReadFile(folder / "diffusion.csv"),
              HasSubstr("ksivi,ksivi_diffusion,2,1,1,74521,74100,104.25,0.25,-0.5,4\n"));
}

TEST(DiffusionReport, WithoutReferenceTheColumnsAreLeftOutAndItSaysSo) {
  const Folder folder;
  Settings settings;
  settings.out = folder.path();
  ASSERT_TRUE(WriteDiffusionReport(settings, DiffusionResults(false)).ok());
  const std::string report = ReadFile(folder / "report.md");
  EXPECT_THAT(report, HasSubstr("No reference draws were given (`--reference FILE`)"));
  EXPECT_THAT(report, Not(HasSubstr("log ML, ours")));
}

TEST(DiffusionReport, ChangedFitsAreNotCompared) {
  const Folder folder;
  Settings settings;
  settings.out = folder.path();
  settings.reference = "draws.csv";
  settings.set = {"iterations=20"};
  ASSERT_TRUE(WriteDiffusionReport(settings, DiffusionResults(true)).ok());
  EXPECT_THAT(ReadFile(folder / "report.md"), HasSubstr("Not to be compared"));
}

}  // namespace
}  // namespace aisivi::experiments
