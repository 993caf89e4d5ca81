#include "engine/fit/safe_point.h"

#include <utility>

namespace aisivi {

void SafePoint(const RunContext& run, const TrainingRun* training) {
  if (!run.checkpoints.Due()) return;
  RunState state = run;
  state.seconds = run.deadline.Seconds();
  state.time_limit = run.options.time_limit;
  if (training != nullptr) state.training = training->State();
  run.checkpoints.Save(std::move(state));
}

}  // namespace aisivi
