#include "server/convert/progress.h"

#include "gtest/gtest.h"

namespace aisivi::server {
namespace {

TEST(ProgressTest, UnknownNumbersAreAbsent) {
  FitProgress progress;
  progress.phase = FitPhase::kTraining;
  progress.iteration = 3;
  progress.loss = 1.5;
  const v1::FitProgress message = ToMessage(progress);
  EXPECT_EQ(message.phase(), v1::FitProgress::PHASE_TRAINING);
  EXPECT_EQ(message.iteration(), 3);
  EXPECT_EQ(message.loss(), 1.5);
  EXPECT_FALSE(message.has_flow_loss());
  EXPECT_FALSE(message.has_proposal_ess());
  EXPECT_FALSE(message.has_score_residual());
  EXPECT_FALSE(message.has_elbo());
  EXPECT_FALSE(message.has_log_z());
}

TEST(ProgressTest, EveryPhaseHasAMessage) {
  FitProgress progress;
  for (const FitPhase phase :
       {FitPhase::kWarmStart, FitPhase::kFlowPretraining, FitPhase::kTraining, FitPhase::kSampling,
        FitPhase::kEvidence, FitPhase::kDone}) {
    progress.phase = phase;
    EXPECT_NE(ToMessage(progress).phase(), v1::FitProgress::PHASE_UNSPECIFIED);
  }
  progress.phase = FitPhase::kSampling;
  EXPECT_EQ(ToMessage(progress).phase(), v1::FitProgress::PHASE_SAMPLING);
}

TEST(ProgressTest, EveryReasonHasItsMessage) {
  EXPECT_EQ(ToMessage(TerminationReason::kNone), v1::Fit::TERMINATION_REASON_UNSPECIFIED);
  EXPECT_EQ(ToMessage(TerminationReason::kConverged), v1::Fit::TERMINATION_REASON_CONVERGED);
  EXPECT_EQ(ToMessage(TerminationReason::kTargetLost), v1::Fit::TERMINATION_REASON_TARGET_LOST);
}

TEST(ProgressTest, EvidenceThatWasNotEstimatedIsAbsent) {
  const v1::LogEvidence message = ToMessage(EvidenceEstimate());
  EXPECT_FALSE(message.has_log_z());
  EXPECT_FALSE(message.has_elbo_lower());
  EXPECT_FALSE(message.has_pareto_k());
  EXPECT_FALSE(message.has_verdict());
}

TEST(ProgressTest, TimesSurviveTheWayThereAndBack) {
  const absl::Time time = absl::FromUnixNanos(1'700'000'000'123'456'789);
  EXPECT_EQ(FromTimestamp(ToTimestamp(time)), time);
}

}  // namespace
}  // namespace aisivi::server
