#include "engine/explore/pilot.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "engine/explore/base_refit.h"
#include "engine/explore/draw_pool.h"
#include "engine/parallel/rng.h"

namespace aisivi {

absl::StatusOr<Pilot> RunPilots(Evaluator& evaluator, AnnealingBase start,
                                const AnnealingOptions& options, uint64_t seed) {
  constexpr int kMostPilots = 8;
  constexpr double kWorthwhile = 0.05;  // nats
  constexpr int64_t kMostDraws = 4096;  // for a fit, which would take longer than the annealing
  constexpr int64_t kMostParticles = 4096;
  constexpr int64_t kLeastCost = 4;  // evaluations for each particle, or it is not worth beginning
  const int64_t last = evaluator.evaluated() + options.max_evaluations;
  Pilot result{std::move(start)};
  AnnealingOptions annealing = options;
  for (int number = 0; number < kMostPilots; ++number) {
    annealing.max_evaluations = last - evaluator.evaluated();
    if (annealing.max_evaluations < kLeastCost * options.islands * annealing.particles) break;
    const absl::StatusOr<AnnealedIslands> round =
        Anneal(evaluator, result.base, annealing,
               SubSeed(seed, RngPurpose::kExplorePilotSeed, static_cast<uint64_t>(number)));
    if (!round.ok()) return round.status();
    DrawPool pool;
    AddRound(*round, kMostDraws, &pool);
    const std::vector<Eigen::MatrixXd> draws =
        DrawsByIsland(pool, options.islands, result.base.dim());
    BaseRefit refit = RefitBase(result.base, draws, evaluator.pool());
    result.base = std::move(refit.base);
    result.unsettled = refit.gain < kWorthwhile ? 0 : refit.gain;
    if (result.unsettled == 0) break;
    annealing.particles =
        std::min(2 * annealing.particles, std::max(kMostParticles, options.particles));
  }
  return result;
}

}  // namespace aisivi
