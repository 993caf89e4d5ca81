#include "engine/explore/pilot.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "engine/explore/base_refit.h"
#include "engine/explore/draw_pool.h"
#include "engine/parallel/rng.h"

namespace aisivi {

absl::StatusOr<BaseRefit> RefitToIslands(Evaluator& evaluator, const AnnealingBase& base,
                                         const AnnealedIslands& islands) {
  constexpr int64_t kMostDraws = 4096;  // of more a fit would take longer than the annealing
  DrawPool pool;
  AddRound(islands, kMostDraws, &pool);
  return RefitBase(evaluator, base, DrawsByIsland(pool, islands.log_z.size(), base.dim()));
}

absl::Status RunPilots(Evaluator& evaluator, const AnnealingOptions& options, uint64_t seed,
                       const SafePointFunction& safe_point, PilotState* state) {
  constexpr int64_t kMostPilots = 8;
  constexpr int64_t kMostParticles = 4096;
  constexpr int64_t kLeastCost = 4;  // evaluations for each particle, or it is not worth beginning
  if (state->particles == 0) {
    state->particles = options.particles;
    state->last_evaluation = evaluator.evaluated() + options.max_evaluations;
  }
  AnnealingOptions annealing = options;
  for (; state->number < kMostPilots && !state->done; ++state->number) {
    if (!state->annealing.begun()) state->before = evaluator.evaluated();
    annealing.particles = state->particles;
    annealing.max_evaluations = state->last_evaluation - state->before;
    if (annealing.max_evaluations < kLeastCost * options.islands * annealing.particles) break;
    const absl::StatusOr<AnnealedIslands> round =
        Anneal(evaluator, state->result.base, annealing,
               SubSeed(seed, RngPurpose::kExplorePilotSeed, static_cast<uint64_t>(state->number)),
               safe_point, &state->annealing);
    if (!round.ok()) return round.status();
    state->result.evaluations_each = static_cast<double>(evaluator.evaluated() - state->before) /
                                     static_cast<double>(options.islands * annealing.particles);
    absl::StatusOr<BaseRefit> refit = RefitToIslands(evaluator, state->result.base, *round);
    if (!refit.ok()) return refit.status();
    state->result.base = std::move(refit->base);
    state->done = refit->gain < kSettledGain;
    state->particles = std::min(2 * state->particles, std::max(kMostParticles, options.particles));
  }
  state->done = true;
  return absl::OkStatus();
}

}  // namespace aisivi
