// NUTS by R, with a program in R's place that writes what a test wants.
#include "client/experiments/nuts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>

#include "tests/client/experiments/folder.h"

namespace aisivi::experiments {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class NutsTest : public testing::Test {
 protected:
  NutsTest() : path_(getenv("PATH")) {}
  ~NutsTest() override { setenv("PATH", path_.c_str(), 1); }

  // A script named Rscript, before all others.
  void FakeR(const std::string& body) {
    const std::filesystem::path program = programs_ / "Rscript";
    WriteFile(program, "#!/bin/sh\n" + body);
    std::filesystem::permissions(program, std::filesystem::perms::owner_all);
    setenv("PATH", (programs_.path().string() + ":" + path_).c_str(), 1);
  }

  absl::StatusOr<std::vector<FitResult>> Run(const std::vector<uint64_t>& seeds) {
    return RunNuts({"funnel", {}, "model", "list()"}, {}, seeds, folder_.path(), {});
  }

  const std::string path_;
  Folder programs_, folder_;
};

constexpr char kHeader[] =
    "seed,seconds,log_z,log_z_se,gradients,r_hat,divergences,compile_seconds";

TEST_F(NutsTest, WhatIsMissing) {
  FakeR("exit 0\n");
  EXPECT_THAT(*MissingPackages({}), ElementsAre());
  FakeR("echo 'MISSING bridgesampling '\n");
  EXPECT_THAT(*MissingPackages({}), ElementsAre("r-cran-bridgesampling"));
  FakeR("echo 'MISSING rstan '; echo 'MISSING bridgesampling '\n");
  EXPECT_THAT(*MissingPackages({}), ElementsAre("r-cran-rstan", "r-cran-bridgesampling"));
  setenv("PATH", folder_.path().c_str(), 1);
  EXPECT_THAT(*MissingPackages({}),
              ElementsAre("r-base-core", "r-cran-rstan", "r-cran-bridgesampling"));
}

TEST_F(NutsTest, ResultsOfAllSeeds) {
  FakeR(std::string("[ \"$1\" = --vanilla ] || exit 1\n") +
        "grep -q bridge_sampler \"$2\" && [ \"$(cat \"$3\")\" = model ] || exit 2\n" +
        "[ \"$(cat \"$4\")\" = 'list()' ] && [ \"$6,$7,$8,$9\" = 4,1000,1000,1,2 ] || exit 3\n" +
        "printf '%s\\n' " + kHeader + " 1,3.5,0.01,0.02,123456,1.001,4,20 2,3,NA,0.1,99,1.2,0,20 " +
        ">\"$5\"\n");
  const auto results = Run({1, 2});
  ASSERT_TRUE(results.ok()) << results.status();
  ASSERT_EQ(results->size(), 2u);
  EXPECT_EQ((*results)[0].key, (FitKey{"funnel", kNuts, "", "", 1}));
  EXPECT_EQ((*results)[0].state, "SUCCEEDED");
  EXPECT_EQ((*results)[0].seconds, 3.5);
  EXPECT_EQ((*results)[0].log_z, 0.01);
  EXPECT_EQ((*results)[0].log_z_se, 0.02);
  EXPECT_EQ(MeasureOf((*results)[0], kGradients), 123456);
  EXPECT_EQ(MeasureOf((*results)[0], kDivergences), 4);
  EXPECT_TRUE(std::isnan((*results)[1].log_z));
}

TEST_F(NutsTest, WhatGoesWrongIsToldInRsWords) {
  FakeR("echo 'Error: no compiler' >&2; exit 1\n");
  const absl::Status failed = Run({1}).status();
  EXPECT_TRUE(absl::IsInternal(failed)) << failed;
  EXPECT_THAT(std::string(failed.message()),
              HasSubstr("NUTS on funnel failed: Error: no compiler"));
  for (const std::string& lines :
       {std::string("nothing"), std::string(kHeader), std::string(kHeader) + " 2,1,1,1,1,1,1,1",
        std::string(kHeader) + " 1,1,1", std::string(kHeader) + " 1,x,1,1,1,1,1,1"}) {
    FakeR("printf '%s\\n' " + lines + " >\"$5\"\n");
    const absl::Status status = Run({1}).status();
    EXPECT_TRUE(absl::IsInternal(status)) << lines;
    EXPECT_THAT(std::string(status.message()), HasSubstr("no table of results for funnel"));
  }
  FakeR("exit 0\n");
  EXPECT_TRUE(absl::IsInternal(Run({1}).status())) << "an earlier table is not taken";
}

TEST(PeerTargets, ProgramsAndData) {
  RegressionInput input;
  input.data.x = (Eigen::MatrixXd(3, 2) << 1, 2, 3, 4, 5, 6).finished();
  input.data.y = Eigen::Vector3d(0, 1, 1);
  input.data.prior_precision = 0.25;
  const std::vector<PeerTarget> targets = PeerTargets(input);
  ASSERT_EQ(targets.size(), 3u);
  EXPECT_EQ(targets[0].data,
            "list(N = 3L, D = 2L, prior_sd = 2, y = c(0,1,1),\n  x = matrix(c(1,3,5,2,4,6), nrow = "
            "3L))");
  EXPECT_EQ(targets[1].name, "eight_schools");
  EXPECT_EQ(targets[2].data, "list()");
  for (const PeerTarget& target : targets) EXPECT_THAT(target.stan, HasSubstr("target +="));
}

}  // namespace
}  // namespace aisivi::experiments
