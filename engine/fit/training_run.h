// The training that one start goes through: the model, what trains it, and how far it has come.
#pragma once

#include <string>

#include "engine/fit/run_context.h"
#include "engine/fit/schedule.h"
#include "engine/fit/start.h"
#include "engine/fit/trainer.h"
#include "engine/fit/training_state.h"
#include "engine/model/model_state.h"

namespace aisivi {

struct TrainingRun {
  // What `run` refers to must outlive the training.
  TrainingRun(Start start, const RunContext& run);
  TrainingRun(TrainingState state, const RunContext& run);
  TrainingRun(const TrainingRun&) = delete;  // the trainer points to the model
  TrainingRun& operator=(const TrainingRun&) = delete;

  // A training from this goes on as this one does.
  TrainingState State() const;

  ModelState model;
  std::string start;  // in words
  Trainer trainer;
  Schedule schedule;
  TrainingProgress progress;
  ReturnPoint return_point;
};

// Goes back to the return point, with half the learning rates.
void BackOff(TrainingRun* training);

}  // namespace aisivi
