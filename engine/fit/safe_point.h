// Where a run may be interrupted: what goes on from the state as it is then ends with the same
// bits.
#pragma once

#include "engine/fit/run_context.h"
#include "engine/fit/training_run.h"

namespace aisivi {

// Hands on a checkpoint where one is due. `training`: that which goes on; null: none does. Changes
// nothing.
void SafePoint(const RunContext& run, const TrainingRun* training = nullptr);

}  // namespace aisivi
