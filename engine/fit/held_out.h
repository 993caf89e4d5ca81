// Compares the states of a fit on held-out draws: the same random numbers for all of them, so that
// their difference has little noise.
#pragma once

#include <atomic>

#include "absl/status/statusor.h"
#include "engine/fit/options.h"
#include "engine/model/model_state.h"
#include "engine/parallel/thread_pool.h"
#include "engine/targets/target.h"

namespace aisivi {

struct HeldOut {
  double elbo;      // lower bound, nats; −inf when most draws were not finite
  double se;        // its standard error, nats
  double gap;       // log Ẑ − ELBO, an estimate of KL(q‖p), nats; NaN when unknown
  bool at_ceiling;  // the gap is closed, and the weights say that this can be trusted
};

// CANCELLED, or the target's own error.
absl::StatusOr<HeldOut> EvaluateHeldOut(const ModelState& state, const Target& target,
                                        const FitOptions& options, ThreadPool& pool,
                                        const std::atomic<bool>* cancel);

}  // namespace aisivi
