#include "server/jobs/resuming_fit.h"

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "server/jobs/fit_name.h"
#include "spdlog/spdlog.h"

namespace aisivi::server {
namespace {

// An error of the checkpoint, not of the fit, of which nothing has run then.
bool IsRefusal(const absl::Status& status) {
  return (absl::IsDataLoss(status) || absl::IsFailedPrecondition(status)) &&
         absl::StartsWith(status.message(), "checkpoint: ");
}

}  // namespace

FitFunction ResumingFit(FitFunction run_fit, FitStore* store, std::string id) {
  return [run_fit = std::move(run_fit), store, id = std::move(id)](
             const Target& target, const FitOptions& options, ThreadPool& pool,
             const FitControl& control) -> absl::StatusOr<FitResult> {
    const absl::StatusOr<std::string> checkpoint = store->ReadCheckpoint(id);
    if (absl::IsNotFound(checkpoint.status())) return run_fit(target, options, pool, control);
    absl::Status refusal = checkpoint.status();
    std::string reason = "checkpoint: it cannot be read";
    if (checkpoint.ok()) {
      spdlog::info("{} goes on from its checkpoint", FitName(id));
      FitControl resumed = control;
      resumed.resume_from = *checkpoint;
      absl::StatusOr<FitResult> result = run_fit(target, options, pool, resumed);
      if (!IsRefusal(result.status())) return result;
      refusal = result.status();
      reason = std::string(refusal.message());
    }
    spdlog::warn("{} begins anew: {}", FitName(id), std::string(refusal.message()));
    RemoveCheckpointOf(store, id);
    absl::StatusOr<FitResult> result = run_fit(target, options, pool, control);
    if (result.ok()) {
      result->log.insert(
          result->log.begin(),
          absl::StrCat("Interrupted, and begun anew: it could not go on from its ", reason, "."));
    }
    return result;
  };
}

void RemoveCheckpointOf(FitStore* store, const std::string& id) {
  const absl::Status status = store->RemoveCheckpoint(id);
  if (status.ok()) return;
  spdlog::warn("the checkpoint of {} stays: {}", FitName(id), std::string(status.message()));
}

}  // namespace aisivi::server
