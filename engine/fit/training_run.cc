#include "engine/fit/training_run.h"

#include <utility>

namespace aisivi {

TrainingRun::TrainingRun(Start from, const RunContext& run)
    : model(std::move(from.state)),
      start(std::move(from.how)),
      trainer(run.target, run.options, run.method, run.pool, &model, run.deadline.flag()),
      schedule(run.options),
      return_point{model} {}

void BackOff(TrainingRun* training) {
  training->progress.reports = training->return_point.reports;  // the steps since led nowhere
  Halve(training->progress.steps, &training->progress.rates);
  training->trainer.Restore(training->return_point.model, /*forget=*/true);
}

}  // namespace aisivi
