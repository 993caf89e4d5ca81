#include "engine/explore/reference_state.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"

namespace aisivi {
namespace {

constexpr int64_t kMostCount = int64_t{1} << 50;  // that sums of a few do not overflow
constexpr int64_t kMostOfPilot = 1 << 16;         // particles of an island, where a round has fewer

bool IsCount(int64_t value) { return value >= 0 && value <= kMostCount; }

bool IsShare(double value) { return value >= 0 && value <= 1; }

// Of a state that an annealing or a round divides by.
bool IsCost(double value) { return value == 0 || (value > 1e-6 && std::isfinite(value)); }

bool IsBase(const AnnealingBase& base, int64_t dim) {
  const auto fits = [dim](const AffineGaussian& component) {
    return component.mean.size() == dim && component.scale.rows() == dim &&
           component.scale.cols() == dim && component.mean.allFinite() &&
           component.scale.allFinite() && component.scale.diagonal().minCoeff() > 0;
  };
  return !base.components.empty() && IsShare(base.heavy_share) &&
         std::all_of(base.components.begin(), base.components.end(), fits);
}

bool IsPopulation(const Population& particles, int64_t count, int64_t dim) {
  return particles.z.rows() == dim && particles.z.cols() == count &&
         particles.log_p.size() == count && particles.score.rows() == dim &&
         particles.score.cols() == count && particles.log_base.size() == count;
}

bool IsAnnealing(const AnnealingState& state, int64_t islands, int64_t particles, int64_t dim) {
  if (!state.begun()) return true;
  const size_t levels = state.betas.size();
  if (state.ratios.size() != levels || state.log_zs.size() != levels ||
      state.levels.size() + 1 != levels || !IsCount(state.last_evaluation) ||
      !IsShare(state.beta) || !(state.step > 0 && state.step < 1e6) ||
      state.log_z.size() != islands || !IsPopulation(state.particles, islands * particles, dim)) {
    return false;
  }
  const auto fits = [&](const Eigen::MatrixXd& ratio) {
    return ratio.rows() == particles && ratio.cols() == islands && !ratio.hasNaN();
  };
  return std::all_of(state.ratios.begin(), state.ratios.end(), fits) &&
         std::all_of(state.betas.begin(), state.betas.end(), IsShare) &&
         std::all_of(state.log_zs.begin(), state.log_zs.end(),
                     [islands](const Eigen::VectorXd& log_z) { return log_z.size() == islands; });
}

bool IsPool(const DrawPool& pool, int64_t islands, int64_t dim) {
  const auto fits = [&](const PooledDraws& part) {
    return part.island >= 0 && part.island < islands && part.z.rows() == dim &&
           part.log_p.size() == part.z.cols() && part.z.allFinite() && part.log_p.allFinite();
  };
  return pool.stride >= 1 && pool.stride <= kMostCount &&
         std::all_of(pool.parts.begin(), pool.parts.end(), fits);
}

bool AreRounds(const Rounds& rounds, int64_t islands, int64_t dim) {
  const bool counted = rounds.sums.particles > 0;
  if (!IsCount(rounds.done) || !IsCost(rounds.evaluations_each) ||
      !(rounds.sums.particles >= 0 && rounds.sums.particles < 1e15) ||
      !IsPool(rounds.pool, islands, dim) || counted != (rounds.pool.size() > 0)) {
    return false;
  }
  if (counted && (rounds.sums.sequential.size() != islands ||
                  rounds.sums.multistate.size() != islands || rounds.evaluations_each == 0)) {
    return false;
  }
  const bool needed = rounds.unsettled > 0;
  return (!needed && rounds.better.components.empty()) || IsBase(rounds.better, dim);
}

bool IsParticles(int64_t particles, const ReferenceOptions& options, int64_t most) {
  return particles > 0 && particles % options.states == 0 && particles <= most;
}

}  // namespace

absl::Status CheckReferenceState(const ReferenceState& state, const ReferenceOptions& options,
                                 int64_t dim) {
  const auto bad = [](const char* what) {
    return absl::InvalidArgumentError(absl::StrCat("state: ", what, " do not fit"));
  };
  const PilotState& pilot = state.pilot;
  if (!IsCount(state.evaluations) || !IsCount(state.before) || !IsCount(pilot.before) ||
      !IsCount(pilot.last_evaluation) || !IsCount(pilot.number)) {
    return bad("the counts");
  }
  if (pilot.particles != 0 &&
      (!IsParticles(pilot.particles, options, std::max(kMostOfPilot, options.particles)) ||
       !IsBase(pilot.result.base, dim) || !IsCost(pilot.result.evaluations_each))) {
    return bad("the pilots");
  }
  if (!IsAnnealing(pilot.annealing, options.islands, pilot.particles, dim)) {
    return bad("the particles of a pilot");
  }
  if (state.particles == 0) return absl::OkStatus();
  if (!IsParticles(state.particles, options, MostParticles(options, dim)) ||
      !IsBase(state.rounds.base, dim) || !AreRounds(state.rounds, options.islands, dim)) {
    return bad("the rounds");
  }
  if (!IsAnnealing(state.annealing, options.islands, state.particles, dim)) {
    return bad("the particles of a round");
  }
  return absl::OkStatus();
}

}  // namespace aisivi
