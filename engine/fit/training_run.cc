#include "engine/fit/training_run.h"

#include <utility>

namespace aisivi {

TrainingRun::TrainingRun(Start from, const RunContext& run)
    : model(std::move(from.state)),
      start(std::move(from.how)),
      trainer(run.target, run.options, run.method, run.pool, &model, run.deadline.flag()),
      schedule(run.options),
      return_point{model} {}

TrainingRun::TrainingRun(TrainingState state, const RunContext& run)
    : model(std::move(state.model)),
      start(std::move(state.start)),
      trainer(run.target, run.options, run.method, run.pool, &model, std::move(state.trainer),
              run.deadline.flag()),
      schedule(run.options, std::move(state.schedule)),
      progress(std::move(state.progress)),
      return_point(std::move(state.return_point)) {}

TrainingState TrainingRun::State() const {
  return {model, start, trainer.state(), schedule.state(), progress, return_point};
}

void BackOff(TrainingRun* training) {
  training->progress.reports = training->return_point.reports;  // the steps since led nowhere
  Halve(training->progress.steps, &training->progress.rates);
  training->trainer.Restore(training->return_point.model, /*forget=*/true);
}

}  // namespace aisivi
