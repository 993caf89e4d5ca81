#include "engine/fit/termination.h"

#include "absl/strings/str_cat.h"

namespace aisivi {

bool MustStop(RunContext& run) {
  if (run.deadline.Cancelled()) {
    run.reason = TerminationReason::kCancelled;
  } else if (run.deadline.Passed(kTrainingShare)) {
    run.reason = TerminationReason::kTimeLimit;
  }
  return run.reason != TerminationReason::kNone;
}

bool EndsWithBestState(RunContext& run, const absl::Status& error) {
  if (!absl::IsUnavailable(error) || !run.best.model.has_value()) return false;
  run.reason = TerminationReason::kTargetLost;
  run.log.push_back(absl::StrCat("The target was lost: ", std::string(error.message()), "."));
  return true;
}

std::string TerminationMessage(TerminationReason reason, const FitOptions& options) {
  switch (reason) {
    case TerminationReason::kCancelled:
      return "The fit was cancelled.";
    case TerminationReason::kTimeLimit:
      return "The time limit was reached; the best state so far is kept.";
    case TerminationReason::kNumericalError:
      return "Too many steps were not finite; the best state so far is kept.";
    case TerminationReason::kTargetLost:
      return "The target can no longer be evaluated; the best state so far is kept.";
    case TerminationReason::kConverged:
      return "The estimated gap to log Z is closed, or ELBO and score residual have settled.";
    default:
      return options.iterations == 0 ? "The start is the result: no training was asked for."
                                     : "All iterations are done.";
  }
}

}  // namespace aisivi
