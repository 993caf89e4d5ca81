#include "client/experiments/architecture_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/client/experiments/folder.h"

namespace aisivi::experiments {
namespace {

using testing::HasSubstr;

FitResult Fit(uint64_t seed, double gap, double seconds) {
  FitResult fit;
  fit.key = {"banana", "aisivi", "", "couplings=6", seed};
  fit.state = "SUCCEEDED";
  fit.known_log_z = 0;
  fit.elbo_lower = -gap;
  fit.elbo_upper = -gap + 0.01;
  fit.seconds = seconds;
  fit.measures = {{kProposalEss, 0.4}, {kFlowLoss, -1.5}};
  return fit;
}

TEST(Architecture, ResultsAreGroupedByTheirPlace) {
  std::vector<FitResult> results;
  for (const uint64_t seed : {1, 2}) {
    for (const double gap : {0.3, 0.2, 0.1}) results.push_back(Fit(seed, gap, 1));
  }
  const std::vector<Architecture> all = GroupArchitectures(results);
  ASSERT_EQ(all.size(), 3u);
  EXPECT_EQ(all[2].couplings, 32);
  ASSERT_EQ(all[2].fits.size(), 2u);
  EXPECT_DOUBLE_EQ(Gap(all[2].fits[1]), 0.1);
  EXPECT_EQ(all[2].fits[1].key.seed, 2u);
}

TEST(Architecture, QualityAndCostInWords) {
  const Architecture six{"banana", 6, {Fit(1, 0.3, 10), Fit(2, 0.31, 12), Fit(3, 0.32, 10)}};
  const Architecture better{"banana", 32, {Fit(1, 0.1, 40), Fit(2, 0.12, 48), Fit(3, 0.11, 40)}};
  std::string text = CompareArchitectures(six, better);
  EXPECT_THAT(text, HasSubstr("banana: 32 couplings beside 6 took 4.00 times as long."));
  EXPECT_THAT(text, HasSubstr("The gap changed by -0.200 nats"));
  EXPECT_THAT(text, HasSubstr("more couplings fit better."));
  EXPECT_THAT(CompareArchitectures(better, six), HasSubstr("more couplings fit worse."));
  const Architecture alike{"banana", 16, {Fit(1, 0.31, 20), Fit(2, 0.3, 20), Fit(3, 0.325, 20)}};
  EXPECT_THAT(CompareArchitectures(six, alike), HasSubstr("no difference that is beyond chance"));
}

TEST(Architecture, TooFewSeedsAreTold) {
  const Architecture one{"banana", 6, {Fit(1, 0.3, 10)}}, two{"banana", 16, {Fit(1, 0.2, 10)}};
  EXPECT_THAT(CompareArchitectures(one, two), HasSubstr("of a single seed"));
  const Architecture failed{"banana", 32, {FitResult{}}};
  EXPECT_THAT(CompareArchitectures(one, failed), HasSubstr("cannot be compared"));
}

TEST(Architecture, Report) {
  const Folder folder;
  Settings settings;
  settings.out = folder.path();
  ASSERT_TRUE(WriteArchitectureReport(settings, {{"banana", 6, {Fit(1, 0.3, 10), Fit(2, 0.4, 12)}},
                                                 {"banana", 16, {Fit(1, 0.2, 30), FitResult{}}}})
                  .ok());
  const std::string report = ReadFile(folder / "report.md");
  EXPECT_THAT(report, HasSubstr("| banana | 6 | 0.350 (0.300 – 0.400) |"));
  EXPECT_THAT(report, HasSubstr("| 1 of 2 |"));
  EXPECT_THAT(report, HasSubstr("16 couplings beside 6 took 3.00 times as long"));
  EXPECT_THAT(ReadFile(folder / "architecture.csv"), HasSubstr("banana,16,1,SUCCEEDED,0.2,"));
}

}  // namespace
}  // namespace aisivi::experiments
