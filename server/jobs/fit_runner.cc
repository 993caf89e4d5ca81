#include "server/jobs/fit_runner.h"

#include <cmath>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "server/convert/progress.h"
#include "server/convert/target_spec.h"
#include "server/convert/verdict.h"
#include "server/jobs/fit_plan.h"
#include "server/status.h"

namespace aisivi::server {
namespace {

bool IsCancelled(const FitControl& control) {
  return control.cancel != nullptr && control.cancel->load();
}

absl::StatusOr<FitResult> Run(const FitFunction& run_fit, ThreadPool& pool,
                              const FitControl& control, const TargetSources& sources,
                              const v1::Fit& fit) {
  absl::StatusOr<FitOptions> options = PlannedOptions(fit);
  if (!options.ok()) return options.status();
  TargetSources own = sources;
  own.cancel = control.cancel;
  absl::StatusOr<std::unique_ptr<const Target>> target =
      BuildTarget(fit.target(), "fit.target", own);
  if (!target.ok()) return target.status();
  return run_fit(**target, *options, pool, control);
}

// What log Z of the target is, where it is not the log evidence.
void TellWhatLogZIs(v1::Fit* fit) {
  if (!fit->target().remote().unnormalised()) return;
  fit->add_log(
      "The density is known up to a constant only: log Z and the ELBO are relative to it, and can "
      "be "
      "compared among fits of this density alone.");
}

void RecordResult(const FitResult& result, FitRecord* record) {
  v1::Fit* fit = record->mutable_fit();
  fit->set_termination_reason(ToMessage(result.reason));
  fit->set_message(result.message);
  *fit->mutable_progress() = ToMessage(result.last);
  for (const std::string& line : result.log) fit->add_log(line);
  TellWhatLogZIs(fit);
  for (const FitProgress& report : result.history) *record->add_history() = ToMessage(report);
  if (result.model != nullptr) {
    record->set_model(result.model->Serialize());
    fit->set_has_posterior(true);
    *fit->mutable_evidence() = ToMessage(result.evidence);
    const double residual = TypicalScoreResidual(result.history);
    if (!std::isnan(residual)) fit->set_score_residual(residual);
    *fit->mutable_mode_search() = ToMessage(result.search);
    if (!std::isnan(result.r_hat)) fit->set_r_hat(result.r_hat);
    for (const double elbo : result.restart_elbo) fit->add_restart_elbo(elbo);
    *fit->mutable_verdict() = JudgeFitBy(result.evidence, *fit);
  }
}

void RunAndRecord(const FitFunction& run_fit, ThreadPool& pool, const FitControl& control,
                  const TargetSources& sources, FitRecord* record) {
  const absl::StatusOr<FitResult> result = Run(run_fit, pool, control, sources, record->fit());
  v1::Fit* fit = record->mutable_fit();
  if (result.ok()) RecordResult(*result, record);
  const bool cancelled = result.ok() ? result->reason == TerminationReason::kCancelled
                                     : absl::IsCancelled(result.status()) || IsCancelled(control);
  if (cancelled) {
    fit->set_state(v1::Fit::STATE_CANCELLED);
    fit->set_termination_reason(v1::Fit::TERMINATION_REASON_CANCELLATION);
    if (fit->message().empty()) fit->set_message("cancelled");
  } else if (!result.ok()) {
    MarkFailed(result.status(), fit);
    if (absl::IsUnavailable(result.status())) {
      fit->set_termination_reason(v1::Fit::TERMINATION_REASON_TARGET_LOST);
    }
  } else if (result->reason == TerminationReason::kNumericalError && result->model == nullptr) {
    MarkFailed(absl::InternalError(result->message), fit);
  } else {
    fit->set_state(v1::Fit::STATE_SUCCEEDED);
    if (const std::optional<double> log_z = KnownLogZ(fit->target(), sources))
      fit->set_known_log_z(*log_z);
  }
}

}  // namespace

void MarkFailed(const absl::Status& error, v1::Fit* fit) {
  fit->set_state(v1::Fit::STATE_FAILED);
  fit->set_message(std::string(error.message()));
  *fit->mutable_error() = ToRpcStatus(error);
}

void RunStoredFit(const FitFunction& run_fit, ThreadPool& pool, const FitControl& control,
                  const TargetSources& sources, FitRecord* record) {
  try {
    RunAndRecord(run_fit, pool, control, sources, record);
  } catch (const std::exception& error) {
    MarkFailed(absl::InternalError(absl::StrCat("the fit was aborted: ", error.what())),
               record->mutable_fit());
  }
  *record->mutable_fit()->mutable_end_time() = ToTimestamp(absl::Now());
}

}  // namespace aisivi::server
