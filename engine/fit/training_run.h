// The training that one start goes through: the model, what trains it, and how far it has come.
#pragma once

#include <cstdint>
#include <limits>
#include <string>

#include "engine/fit/learning_rates.h"
#include "engine/fit/reporter.h"
#include "engine/fit/run_context.h"
#include "engine/fit/running_elbo.h"
#include "engine/fit/schedule.h"
#include "engine/fit/start.h"
#include "engine/fit/trainer.h"
#include "engine/model/model_state.h"

namespace aisivi {

struct TrainingProgress {
  int64_t steps = 0;             // of the family
  int64_t non_finite_steps = 0;  // of which in a row not finite
  double criterion_sum = 0;      // StepReport::criterion, since the last check
  int64_t criterion_steps = 0;   // likewise
  RunningElbo elbo;
  LearningRates rates;
  ReportSpan reports;  // of its steps; where others came in between, of those since
};

// Where a training goes back to when it diverges: the best of its own averaged states.
struct ReturnPoint {
  ModelState model;
  double elbo = -std::numeric_limits<double>::infinity();  // held-out; −inf before the first check
  double gap = kNotAvailable;
  ReportSpan reports;  // as in TrainingProgress
};

struct TrainingRun {
  // What `run` refers to must outlive the training.
  TrainingRun(Start start, const RunContext& run);
  TrainingRun(const TrainingRun&) = delete;  // the trainer points to the model
  TrainingRun& operator=(const TrainingRun&) = delete;

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
