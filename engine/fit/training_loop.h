// The steps of a training, with what watches over them: checks, the clock, steps that are not
// finite, progress.
#pragma once

#include <cstdint>

#include "absl/status/status.h"
#include "engine/fit/run_context.h"
#include "engine/fit/training_run.h"

namespace aisivi {

// The flow steps before the first family step, options.flow_pretrain_iterations of them, but for
// the run.flow_iteration that are done already. A training that has had no other step yet never
// goes back behind them.
void PretrainProposal(RunContext& run, TrainingRun& training);

// Takes `training` to step `last`, to the end of its schedule, or until the run has to stop
// (run.reason), whichever comes first. Progress is told as iteration `shown` + step. After 20 steps
// in a row that were not finite the training goes back to its return point, after 200 it ends.
// The target's own error.
absl::Status Train(RunContext& run, TrainingRun& training, int64_t last, int64_t shown);

}  // namespace aisivi
