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
#include "engine/warmstart/evaluate.h"

namespace aisivi {

struct Pilot {
  AnnealingBase base;
  // What the last pilot gained, nats of mean log b, where evaluations ended the pilots; else 0. It
  // has the size of what the next might yet find.
  double unsettled = 0;
};

// `options`: of the first pilot; their max_evaluations is for all pilots together. Error: the
// target's own, or CANCELLED.
absl::StatusOr<Pilot> RunPilots(Evaluator& evaluator, AnnealingBase start,
                                const AnnealingOptions& options, uint64_t seed);

}  // namespace aisivi
