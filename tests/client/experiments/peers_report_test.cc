#include "client/experiments/peers_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/client/experiments/folder.h"

namespace aisivi::experiments {
namespace {

using testing::HasSubstr;
using testing::Not;

FitResult PeerResult(const std::string& method, double seconds, double log_z, double gradients) {
  FitResult result;
  result.key = {"funnel", method, "", "", 1};
  result.state = "SUCCEEDED";
  result.seconds = seconds;
  result.log_z = log_z;
  result.log_z_se = 0.03;
  result.measures[kGradients] = gradients;
  if (method == "aisivi") result.known_log_z = 0, result.elbo_lower = -0.5;
  return result;
}

Peers Both(double nuts_log_z) {
  Peers peers;
  peers.data = "data.csv";
  peers.targets = {"funnel"};
  peers.results = {PeerResult("aisivi", 20, 0.01, 500000),
                   PeerResult(kNuts, 4, nuts_log_z, 250000)};
  return peers;
}

TEST(Peers, BesideOneAnotherInWords) {
  const std::string text = ComparePeers(Both(-0.02), "funnel");
  EXPECT_THAT(text, HasSubstr("funnel: our fit took 5.00 times as long"));
  EXPECT_THAT(text, HasSubstr("at least 2.00 times as many gradients"));
  EXPECT_THAT(text, HasSubstr("Their log Z differ by 0.030"));
  EXPECT_THAT(text, HasSubstr(": they agree."));
  EXPECT_THAT(ComparePeers(Both(-1), "funnel"), HasSubstr(": they do not agree."));
  EXPECT_THAT(ComparePeers(Both(kNotMeasured), "funnel"), HasSubstr("cannot be compared"));
}

TEST(Peers, ReportWithBoth) {
  const Folder folder;
  Settings settings;
  settings.out = folder.path();
  ASSERT_TRUE(WritePeersReport(settings, Both(-0.02)).ok());
  const std::string report = ReadFile(folder / "report.md");
  EXPECT_THAT(report, HasSubstr("| funnel | aisivi, defaults | 20.0 | 500000 | 0.0100 | 0.030 | "
                                "0.0100 | 0.500 | - | 1 |"));
  EXPECT_THAT(report, HasSubstr("| funnel | NUTS and bridge sampling | 4.00 | 250000 | -0.0200 |"));
  EXPECT_THAT(report, Not(HasSubstr("apt-get")));
  EXPECT_THAT(ReadFile(folder / "peers.csv"), HasSubstr("funnel,nuts_bridge,1,4,250000,-0.02,"));
}

TEST(Peers, WhatIsMissingAndWhatFailedIsTold) {
  const Folder folder;
  Settings settings;
  settings.out = folder.path();
  Peers peers = Both(0);
  peers.results.pop_back();
  peers.missing = {"r-cran-rstan", "r-cran-bridgesampling"};
  peers.failures = {"NUTS on funnel failed: no compiler"};
  ASSERT_TRUE(WritePeersReport(settings, peers).ok());
  const std::string report = ReadFile(folder / "report.md");
  EXPECT_THAT(report, HasSubstr("`apt-get install r-cran-rstan r-cran-bridgesampling`"));
  EXPECT_THAT(report, HasSubstr("NUTS on funnel failed: no compiler"));
  EXPECT_THAT(report, HasSubstr("there is nothing of NUTS and bridge sampling to compare with"));
  EXPECT_THAT(report,
              HasSubstr("| funnel | NUTS and bridge sampling | - | - | - | - | - | - | - | 0 |"));
}

}  // namespace
}  // namespace aisivi::experiments
