// The training that one start goes through, as plain data.
#pragma once

#include <cstdint>
#include <limits>
#include <string>

#include "engine/evidence/not_available.h"
#include "engine/fit/learning_rates.h"
#include "engine/fit/reporter.h"
#include "engine/fit/running_elbo.h"
#include "engine/fit/schedule.h"
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

// Between two steps: all that the rest of the training depends on besides target and options.
struct TrainingState {
  ModelState model;
  std::string start;  // in words
  TrainerState trainer;
  ScheduleState schedule;
  TrainingProgress progress;
  ReturnPoint return_point;
};

}  // namespace aisivi
