// A look at a training from outside: its averaged state on held-out draws, and what follows from it
// for the result, the learning rates and the schedule.
#pragma once

#include "absl/status/status.h"
#include "engine/fit/run_context.h"
#include "engine/fit/training_run.h"

namespace aisivi {

// While training goes on: keeps the state where it is the best of the run, moves the return point
// and the learning rates, and tells the schedule. The target's own error; nothing happens when the
// run is cut short.
absl::Status CheckOnTheWay(RunContext& run, TrainingRun& training);

// After the last step: keeps the state unless it is worse than the best beyond noise.
absl::Status CheckAtTheEnd(RunContext& run, TrainingRun& training);

}  // namespace aisivi
