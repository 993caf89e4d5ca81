#include "engine/fit/start_choice.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_format.h"
#include "engine/fit/training_loop.h"

namespace aisivi {
namespace {

constexpr int64_t kChecks = 2;  // in the training of a candidate

}  // namespace

absl::StatusOr<std::unique_ptr<TrainingRun>> ChooseStart(RunContext& run,
                                                         std::vector<Start> starts) {
  std::unique_ptr<TrainingRun> chosen;
  const int64_t count = static_cast<int64_t>(starts.size());
  int64_t shown = 0;
  for (Start& start : starts) {
    auto candidate = std::make_unique<TrainingRun>(std::move(start), run);
    if (count == 1) return candidate;
    const int64_t steps =
        std::min(run.options.iterations, kChecks * candidate->schedule.interval());
    if (shown == 0) run.reporter.Phase(FitPhase::kWarmStart, count * steps);
    if (absl::Status s = Train(run, *candidate, steps, shown); !s.ok()) return s;
    shown += steps;
    run.log.push_back(absl::StrFormat("Pilot training from %s: held-out ELBO %.4f.",
                                      candidate->start, candidate->return_point.elbo));
    if (run.reason == TerminationReason::kNumericalError) {
      run.reason = TerminationReason::kNone;  // another start may do
    }
    if (chosen == nullptr || candidate->return_point.elbo > chosen->return_point.elbo) {
      chosen = std::move(candidate);
    }
    if (run.reason != TerminationReason::kNone) break;
  }
  return chosen;
}

}  // namespace aisivi
