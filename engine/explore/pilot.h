// The base that the estimates are made from: the start, fitted to draws of short annealings.
//
// Each pilot anneals from the base so far, with twice the particles of the one before, and fits the
// base to its draws (base_refit.h), which may cut components in two. The pilots end when that gains
// less than 0.05 nats. They count for nothing else: an estimate from a base that is too narrow is
// too low more often than not.
#pragma once

#include <cstdint>

#include "absl/status/statusor.h"
#include "engine/explore/annealing.h"
#include "engine/explore/base.h"
#include "engine/explore/base_refit.h"
#include "engine/warmstart/evaluate.h"

namespace aisivi {

// Nats of mean log b below which a base is as good as it gets.
inline constexpr double kSettledGain = 0.05;

// RefitBase() with (some of) the particles.
absl::StatusOr<BaseRefit> RefitToIslands(Evaluator& evaluator, const AnnealingBase& base,
                                         const AnnealedIslands& islands);

struct Pilot {
  AnnealingBase base;
  double evaluations_each = 0;  // per particle, in the last pilot; 0 where none could be paid
};

// What a run of pilots carries on.
struct PilotState {
  Pilot result;                 // so far; its base is where to begin
  int64_t number = 0;           // of the pilot that runs
  int64_t particles = 0;        // of an island in it; 0: none has begun
  int64_t before = 0;           // evaluations, of the evaluator, when it began
  int64_t last_evaluation = 0;  // of the evaluator, for all pilots together
  bool done = false;
  AnnealingState annealing;  // of the pilot that runs
};

// Goes on from `state` to its end: state->result. `options`: of the first pilot; their
// max_evaluations is for all pilots together. Error: the target's own, or CANCELLED.
absl::Status RunPilots(Evaluator& evaluator, const AnnealingOptions& options, uint64_t seed,
                       const SafePointFunction& safe_point, PilotState* state);

}  // namespace aisivi
