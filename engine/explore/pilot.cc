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

absl::StatusOr<Pilot> RunPilots(Evaluator& evaluator, AnnealingBase start,
                                const AnnealingOptions& options, uint64_t seed) {
  constexpr int kMostPilots = 8;
  constexpr int64_t kMostParticles = 4096;
  constexpr int64_t kLeastCost = 4;  // evaluations for each particle, or it is not worth beginning
  const int64_t last = evaluator.evaluated() + options.max_evaluations;
  Pilot result{std::move(start)};
  AnnealingOptions annealing = options;
  for (int number = 0; number < kMostPilots; ++number) {
    annealing.max_evaluations = last - evaluator.evaluated();
    if (annealing.max_evaluations < kLeastCost * options.islands * annealing.particles) break;
    const int64_t before = evaluator.evaluated();
    const absl::StatusOr<AnnealedIslands> round =
        Anneal(evaluator, result.base, annealing,
               SubSeed(seed, RngPurpose::kExplorePilotSeed, static_cast<uint64_t>(number)));
    if (!round.ok()) return round.status();
    result.evaluations_each = static_cast<double>(evaluator.evaluated() - before) /
                              static_cast<double>(options.islands * annealing.particles);
    absl::StatusOr<BaseRefit> refit = RefitToIslands(evaluator, result.base, *round);
    if (!refit.ok()) return refit.status();
    result.base = std::move(refit->base);
    if (refit->gain < kSettledGain) break;
    annealing.particles =
        std::min(2 * annealing.particles, std::max(kMostParticles, options.particles));
  }
  return result;
}

}  // namespace aisivi
