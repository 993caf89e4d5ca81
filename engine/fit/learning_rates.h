// What held-out checks mean for the learning rates, beside the schedule's own course.
//
// With decay_every = 0: a fall of the ELBO by 0.02 nats and by half of the best state's estimated
// gap is no noise: the rates are halved, and rise again over 50 steps. With options.adaptive they
// grow by 1.5, up to 4 times what was asked for, while the ELBO still rises by 0.02 nats and a
// twentieth of the gap between two checks and never fell as above.
#pragma once

#include <cstdint>

#include "engine/fit/options.h"
#include "engine/fit/schedule.h"

namespace aisivi {

struct LearningRates {
  double factor = 1;
  int64_t halved_at = 0;  // step; 0: never
};

// Factor on both learning rates for the step after `steps` steps.
double RateFactor(const LearningRates& rates, const Schedule& schedule, int64_t steps);

enum class RateDecision { kKeep, kRaise, kHalve };

// After a check; best_elbo, best_gap: of the best state before it, −inf and NaN before the first,
// which always rises.
RateDecision DecideRates(const FitOptions& options, const Schedule& schedule,
                         const LearningRates& rates, const CheckReport& report, double best_elbo,
                         double best_gap);

void Raise(LearningRates* rates);
void Halve(int64_t steps, LearningRates* rates);

}  // namespace aisivi
