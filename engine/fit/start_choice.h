// The choice among several starts: each is trained a little, and the one that comes farthest is
// trained on.
#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "engine/fit/run_context.h"
#include "engine/fit/training_run.h"

namespace aisivi {

// Among run.starts, by the best held-out ELBO of two checks. Of a single start: its training,
// untouched. Ends early with the best so far where run.reason says that the run has to stop. Goes
// on with a choice that was interrupted. The target's own error.
absl::StatusOr<std::unique_ptr<TrainingRun>> ChooseStart(RunContext& run);

}  // namespace aisivi
