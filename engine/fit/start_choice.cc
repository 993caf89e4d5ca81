#include "engine/fit/start_choice.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_format.h"
#include "engine/fit/safe_point.h"
#include "engine/fit/training_loop.h"

namespace aisivi {
namespace {

constexpr int64_t kChecks = 2;  // in the training of a candidate

// Steps of each candidate.
int64_t PilotSteps(const RunContext& run) {
  return std::min(run.options.iterations, kChecks * Schedule(run.options).interval());
}

std::unique_ptr<TrainingRun> FromFirst(RunContext& run) {
  auto training = std::make_unique<TrainingRun>(std::move(run.starts.front()), run);
  run.starts.erase(run.starts.begin());
  return training;
}

std::unique_ptr<TrainingRun> GoOn(std::optional<TrainingState>* state, const RunContext& run) {
  auto training = std::make_unique<TrainingRun>(*std::move(*state), run);
  state->reset();
  return training;
}

// The pilot training of the next start, or of the one that is on its way.
absl::Status TrainPilot(RunContext& run) {
  const std::unique_ptr<TrainingRun> candidate =
      run.training.has_value() ? GoOn(&run.training, run) : FromFirst(run);
  const int64_t steps = PilotSteps(run);
  if (absl::Status s = Train(run, *candidate, steps, run.shown); !s.ok()) return s;
  run.shown += steps;
  run.log.push_back(absl::StrFormat("Pilot training from %s: held-out ELBO %.4f.", candidate->start,
                                    candidate->return_point.elbo));
  if (run.reason == TerminationReason::kNumericalError) {
    run.reason = TerminationReason::kNone;  // another start may do
  }
  if (!run.contender.has_value() ||
      candidate->return_point.elbo > run.contender->return_point.elbo) {
    run.contender = candidate->State();
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<TrainingRun>> ChooseStart(RunContext& run) {
  const bool begun = run.contender.has_value() || run.training.has_value();
  const int64_t count = static_cast<int64_t>(run.starts.size());
  if (!begun && count == 1) return FromFirst(run);
  if (!begun) run.reporter.Phase(FitPhase::kWarmStart, count * PilotSteps(run));
  while ((run.training.has_value() || !run.starts.empty()) &&
         run.reason == TerminationReason::kNone) {
    if (absl::Status s = TrainPilot(run); !s.ok()) return s;
  }
  run.starts.clear();
  return GoOn(&run.contender, run);
}

}  // namespace aisivi
