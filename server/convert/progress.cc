#include "server/convert/progress.h"

#include <cmath>

#include "server/convert/duration.h"

namespace aisivi::server {
namespace {

v1::FitProgress::Phase ToMessage(FitPhase phase) {
  switch (phase) {
    case FitPhase::kWarmStart:
      return v1::FitProgress::PHASE_WARM_START;
    case FitPhase::kFlowPretraining:
      return v1::FitProgress::PHASE_FLOW_PRETRAINING;
    case FitPhase::kTraining:
      return v1::FitProgress::PHASE_TRAINING;
    case FitPhase::kSampling:
      return v1::FitProgress::PHASE_SAMPLING;
    case FitPhase::kEvidence:
      return v1::FitProgress::PHASE_EVIDENCE;
    case FitPhase::kDone:
      return v1::FitProgress::PHASE_DONE;
  }
  return v1::FitProgress::PHASE_UNSPECIFIED;
}

}  // namespace

v1::FitProgress ToMessage(const FitProgress& progress) {
  v1::FitProgress message;
  message.set_phase(ToMessage(progress.phase));
  message.set_iteration(progress.iteration);
  message.set_total_iterations(progress.total_iterations);
  *message.mutable_elapsed() = ToDuration(progress.seconds);
  if (!std::isnan(progress.loss)) message.set_loss(progress.loss);
  if (!std::isnan(progress.flow_loss)) message.set_flow_loss(progress.flow_loss);
  if (!std::isnan(progress.proposal_ess)) message.set_proposal_ess(progress.proposal_ess);
  if (!std::isnan(progress.score_residual)) message.set_score_residual(progress.score_residual);
  if (!std::isnan(progress.elbo)) message.set_elbo(progress.elbo);
  if (!std::isnan(progress.log_z)) message.set_log_z(progress.log_z);
  message.set_skipped_steps(progress.skipped_steps);
  return message;
}

v1::LogEvidence ToMessage(const EvidenceEstimate& evidence) {
  v1::LogEvidence message;
  if (!std::isnan(evidence.log_z)) message.set_log_z(evidence.log_z);
  if (!std::isnan(evidence.standard_error)) message.set_standard_error(evidence.standard_error);
  if (!std::isnan(evidence.elbo_lower)) message.set_elbo_lower(evidence.elbo_lower);
  if (!std::isnan(evidence.elbo_lower_se)) message.set_elbo_lower_se(evidence.elbo_lower_se);
  if (!std::isnan(evidence.elbo_upper)) message.set_elbo_upper(evidence.elbo_upper);
  if (!std::isnan(evidence.elbo_upper_se)) message.set_elbo_upper_se(evidence.elbo_upper_se);
  if (!std::isnan(evidence.ess)) message.set_ess(evidence.ess);
  if (!std::isnan(evidence.pareto_k)) message.set_pareto_k(evidence.pareto_k);
  message.set_draws(evidence.draws);
  message.set_inner_samples(evidence.inner_samples);
  message.set_non_finite(evidence.non_finite);
  return message;
}

v1::Fit::TerminationReason ToMessage(TerminationReason reason) {
  switch (reason) {
    case TerminationReason::kNone:
      return v1::Fit::TERMINATION_REASON_UNSPECIFIED;
    case TerminationReason::kConverged:
      return v1::Fit::TERMINATION_REASON_CONVERGED;
    case TerminationReason::kIterationLimit:
      return v1::Fit::TERMINATION_REASON_ITERATION_LIMIT;
    case TerminationReason::kTimeLimit:
      return v1::Fit::TERMINATION_REASON_TIME_LIMIT;
    case TerminationReason::kCancelled:
      return v1::Fit::TERMINATION_REASON_CANCELLATION;
    case TerminationReason::kNumericalError:
      return v1::Fit::TERMINATION_REASON_NUMERICAL_ERROR;
    case TerminationReason::kTargetLost:
      return v1::Fit::TERMINATION_REASON_TARGET_LOST;
  }
  return v1::Fit::TERMINATION_REASON_UNSPECIFIED;
}

google::protobuf::Timestamp ToTimestamp(absl::Time time) {
  google::protobuf::Timestamp timestamp;
  const int64_t nanos = absl::ToUnixNanos(time);
  timestamp.set_seconds(nanos / 1'000'000'000);
  timestamp.set_nanos(static_cast<int32_t>(nanos % 1'000'000'000));
  return timestamp;
}

absl::Time FromTimestamp(const google::protobuf::Timestamp& timestamp) {
  return absl::FromUnixSeconds(timestamp.seconds()) + absl::Nanoseconds(timestamp.nanos());
}

}  // namespace aisivi::server
