// When to look, when to slow down and when to stop: the learning rate of a fit as its held-out ELBO
// settles.
//
// With decay_every = 0 both learning rates stay constant (after a short rise) until the held-out
// ELBO and the score residual have both settled, or most iterations are used; then they descend
// along a cosine and training ends:
//   rate(i) = 1                                          before the descent begins at p
//           = f + (1 − f) (1 + cos(π (i − p) / L)) / 2    for its L iterations, f = 0.01
// With decay_every > 0 the rate is decay^⌊i / decay_every⌋ for all iterations: the published way.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/fit/options.h"

namespace aisivi {

// What a held-out check saw.
struct CheckReport {
  double elbo;  // of the averaged state, nats
  double gap;   // log Ẑ − ELBO, an estimate of KL(q‖p), nats
  // Mean of StepReport::criterion over the steps since the last check: of score methods the score
  // residual.
  double residual;
};

// How far a schedule has come.
struct ScheduleState {
  int64_t descent = -1;  // p, once it has begun
  int64_t end = 0;       // steps in all, as far as is known
  bool settled = false;
  std::vector<CheckReport> checks;
};

// Thread safety: none.
class Schedule {
 public:
  explicit Schedule(const FitOptions& options);
  // Goes on from `state`, of a schedule with the same options.
  Schedule(const FitOptions& options, ScheduleState state);

  // Factor on both learning rates for step `iteration`, from 0.
  double RateFactor(int64_t iteration) const;
  // Whether a held-out check is due after `done` steps; never at the very end, where one is made
  // anyway.
  bool CheckDue(int64_t done) const;
  // Records what the check after `done` steps saw; begins the descent when all has settled.
  void RecordCheck(int64_t done, const CheckReport& report);
  // Begins the descent after `done` steps, shortened to `left` steps: time runs out.
  void DescendWithin(int64_t done, int64_t left);

  bool descending() const { return state_.descent >= 0; }
  // Whether the descent began because all had settled.
  bool settled() const { return state_.settled; }
  // Steps in all, as far as is known now.
  int64_t total() const { return state_.end; }
  // Steps between two checks.
  int64_t interval() const { return interval_; }
  const ScheduleState& state() const { return state_; }

 private:
  bool HasSettled() const;
  void Descend(int64_t done, int64_t length);

  const int64_t iterations_;
  const double decay_;
  const int64_t decay_every_;
  const int64_t interval_;
  ScheduleState state_;
};

}  // namespace aisivi
