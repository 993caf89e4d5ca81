#include "client/experiments/toy_chunks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "client/experiments/toy_report.h"
#include "tests/client/experiments/folder.h"

namespace aisivi::experiments {
namespace {

using testing::HasSubstr;

FitResult ChunksResult(double log_z, double forward_kl) {
  FitResult result;
  result.key.target = "banana";
  result.state = "SUCCEEDED";
  result.log_z = log_z;
  result.elbo_lower = log_z - 0.5;
  result.measures[kForwardKl] = forward_kl;
  return result;
}

TEST(ToyChunks, PairsDifferInTheirChunksAlone) {
  Settings settings;
  settings.set = {"points=32", "chunks=8"};
  const std::vector<PlannedFit> plan = PlanChunks(settings, {"banana", "x_shaped"});
  ASSERT_EQ(plan.size(), 4u);
  const std::string rest = "iterations=200 keep_last=true points=32 chunks=8 ";
  EXPECT_EQ(plan[0].key, (FitKey{"banana", "aisivi", "", rest + "inner_samples=64 chunks=1", 1}));
  EXPECT_EQ(plan[1].key, (FitKey{"banana", "aisivi", "", rest + "inner_samples=16 chunks=4", 1}));
  EXPECT_EQ(plan[3].key.target, "x_shaped");
  const absl::StatusOr<v1::Fit> batch = FitFor(plan[0]), chunks = FitFor(plan[1]);
  ASSERT_TRUE(batch.ok() && chunks.ok());
  const v1::AisiviMethod &one = batch->method().aisivi(), &several = chunks->method().aisivi();
  EXPECT_EQ(one.inner_samples() * one.chunks(), several.inner_samples() * several.chunks());
  EXPECT_EQ(one.chunks(), 1);
  EXPECT_EQ(several.chunks(), 4);
}

TEST(ToyChunks, AlikeUpToRounding) {
  EXPECT_TRUE(AreAlike({ChunksResult(0.1, 0.2), ChunksResult(0.1, 0.2)}));
  EXPECT_TRUE(AreAlike({ChunksResult(0.1, 0.2), ChunksResult(0.1 + 1e-13, 0.2 - 1e-13)}));
  EXPECT_FALSE(AreAlike({ChunksResult(0.1, 0.2), ChunksResult(0.1 + 1e-6, 0.2)}));
  EXPECT_FALSE(AreAlike({ChunksResult(0.1, 0.2), ChunksResult(0.1, 0.2 + 1e-6)}));
  EXPECT_FALSE(AreAlike({ChunksResult(0.1, 0.2), FitResult{}}));
}

TEST(ToyChunks, Report) {
  const std::vector<FitResult> results = {ChunksResult(0.1, 0.25), ChunksResult(0.1, 0.25),
                                          ChunksResult(0.1, 0.25), ChunksResult(0.1, 0.5),
                                          ChunksResult(0.1, 0.25), FitResult{}};
  const std::vector<ChunkPair> pairs = ChunkPairs(results);
  ASSERT_EQ(pairs.size(), 3u);
  Report report("Title", "toy", {});
  ReportChunks(pairs, &report);
  EXPECT_THAT(report.text(), HasSubstr("| banana | 0.100000 | 0.100000 | -0.400000 | -0.400000 | "
                                       "0.250000 | 0.250000 | 0 | equal |"));
  EXPECT_THAT(report.text(), HasSubstr("| 0.25 | they differ |"));
  EXPECT_THAT(report.text(), HasSubstr("| not compared |"));
}

}  // namespace
}  // namespace aisivi::experiments
