#include "server/convert/progress.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace aisivi::server {
namespace {

using ::testing::HasSubstr;

TEST(ProgressTest, UnknownNumbersAreAbsent) {
  FitProgress progress;
  progress.phase = FitPhase::kTraining;
  progress.iteration = 3;
  progress.loss = 1.5;
  const v1::FitProgress message = ToMessage(progress);
  EXPECT_EQ(message.phase(), v1::FitProgress::TRAINING);
  EXPECT_EQ(message.iteration(), 3);
  EXPECT_EQ(message.loss(), 1.5);
  EXPECT_FALSE(message.has_flow_loss());
  EXPECT_FALSE(message.has_proposal_ess());
  EXPECT_FALSE(message.has_score_residual());
  EXPECT_FALSE(message.has_elbo());
  EXPECT_FALSE(message.has_log_z());
}

TEST(ProgressTest, EvidenceWithAHeavyTailIsNotTrustworthy) {
  EvidenceEstimate evidence;
  evidence.log_z = -3;
  evidence.pareto_k = 0.2;
  EXPECT_TRUE(ToMessage(evidence).trustworthy());
  evidence.pareto_k = 0.71;
  EXPECT_FALSE(ToMessage(evidence).trustworthy());
  EXPECT_THAT(ToMessage(evidence).verdict(), HasSubstr("do not trust"));
  EXPECT_EQ(ToMessage(evidence).pareto_k(), 0.71);
}

TEST(ProgressTest, EvidenceThatWasNotEstimatedSaysSo) {
  const v1::LogEvidence message = ToMessage(EvidenceEstimate());
  EXPECT_FALSE(message.has_log_z());
  EXPECT_FALSE(message.has_elbo_lower());
  EXPECT_FALSE(message.trustworthy());
  EXPECT_THAT(message.verdict(), HasSubstr("not estimated"));
}

TEST(ProgressTest, TimesSurviveTheWayThereAndBack) {
  const absl::Time time = absl::FromUnixNanos(1'700'000'000'123'456'789);
  EXPECT_EQ(FromTimestamp(ToTimestamp(time)), time);
}

}  // namespace
}  // namespace aisivi::server
