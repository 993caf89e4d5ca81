#include "engine/explore/reference.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <utility>

#include "absl/strings/str_format.h"
#include "engine/evidence/agreement.h"
#include "engine/explore/base.h"
#include "engine/explore/draw_pool.h"
#include "engine/explore/island_evidence.h"
#include "engine/explore/pilot.h"
#include "engine/explore/reference_state.h"
#include "engine/methods/aggregate.h"
#include "engine/parallel/rng.h"

namespace aisivi {
namespace {

constexpr int64_t kLeastPerComponent = 8;  // particles of an island
constexpr int64_t kPoolPerDraw = 4;        // so that resampling seldom repeats a draw
constexpr double kMostUnsettled = 0.5;     // of the error allowed, or the base changes
constexpr int64_t kLeastPool = 4096;

absl::Status CheckStart(const Target& target, const std::vector<AffineGaussian>& start) {
  if (start.empty()) return absl::InvalidArgumentError("start: has no components");
  for (size_t k = 0; k < start.size(); ++k) {
    const int64_t dim = start[k].dim();
    if (dim != target.dim() || start[k].scale.rows() != dim || start[k].scale.cols() != dim) {
      return absl::InvalidArgumentError(
          absl::StrFormat("start: component %d must have %d dimensions", k, target.dim()));
    }
    if (!start[k].mean.allFinite() || !start[k].scale.allFinite() ||
        !(start[k].scale.diagonal().minCoeff() > 0)) {
      return absl::InvalidArgumentError(
          absl::StrFormat("start: component %d must be finite with a positive diagonal", k));
    }
  }
  return absl::OkStatus();
}

AnnealingOptions AnnealingOf(const ReferenceOptions& options) {
  return {.islands = options.islands,
          .particles = options.particles,
          .states = options.states,
          .ess_share = options.ess_share,
          .leapfrog_length = options.leapfrog_length,
          .kernel = options.kernel,
          .langevin_step = options.langevin_step};
}

void AddToSums(const AnnealedIslands& round, int64_t particles, RoundSums* sums) {
  if (sums->particles == 0) {
    sums->sequential.setConstant(round.log_z.size(), kNoWeight);
    sums->multistate.setConstant(round.log_z.size(), kNoWeight);
  }
  const double log_count = std::log(static_cast<double>(particles));
  for (int64_t i = 0; i < round.log_z.size(); ++i) {
    sums->sequential[i] = LogAddExp(sums->sequential[i], log_count + round.log_z[i]);
    sums->multistate[i] = LogAddExp(sums->multistate[i], log_count + round.log_z_multistate[i]);
  }
  sums->tail += static_cast<double>(particles) * round.tail;
  sums->particles += static_cast<double>(particles);
}

// A multiple of `states` that is `count` or just above.
int64_t WholeChains(double count, int64_t states) {
  return static_cast<int64_t>(std::ceil(count / static_cast<double>(states))) * states;
}

absl::Status FitBase(Evaluator& evaluator, const std::vector<AffineGaussian>& start,
                     const ReferenceOptions& options, uint64_t seed,
                     const SafePointFunction& safe_point, PilotState* pilot) {
  constexpr double kShare = 0.4;      // of the evaluations
  constexpr double kFraction = 0.25;  // of the particles of a round
  if (pilot->particles == 0) pilot->result.base = MakeBase(start);
  if (!options.pilot) return absl::OkStatus();
  AnnealingOptions annealing = AnnealingOf(options);
  annealing.particles =
      WholeChains(kFraction * static_cast<double>(options.particles), options.states);
  annealing.max_evaluations =
      static_cast<int64_t>(kShare * static_cast<double>(options.max_evaluations));
  return RunPilots(evaluator, annealing, seed, safe_point, pilot);
}

// Fewer than asked where those would not reach the target within the evaluations left.
int64_t FirstParticles(const ReferenceOptions& options, const Pilot& pilot, int64_t evaluations) {
  const int64_t least = std::max(options.particles, kLeastPerComponent * pilot.base.size());
  const int64_t wanted = std::min(WholeChains(static_cast<double>(least), options.states),
                                  MostParticles(options, pilot.base.dim()));
  if (pilot.evaluations_each == 0) return wanted;
  const double affordable = static_cast<double>(evaluations) / pilot.evaluations_each /
                            static_cast<double>(options.islands * options.states);
  return std::clamp(static_cast<int64_t>(affordable) * options.states, 2 * options.states, wanted);
}

// What the base has become since makes all before a pilot too.
void AddToRounds(const AnnealedIslands& round, const ReferenceOptions& options, int64_t particles,
                 Rounds* rounds) {
  if (rounds->stale) {
    rounds->sums = {};
    rounds->pool = {};
    rounds->stale = false;
  }
  AddToSums(round, particles, &rounds->sums);
  const double log_total = std::log(rounds->sums.particles);
  rounds->evidence = CombineIslands(rounds->sums.sequential.array() - log_total,
                                    rounds->sums.multistate.array() - log_total);
  AddRound(round, std::max(kPoolPerDraw * options.draws, kLeastPool), &rounds->pool);
}

// What the base lacks for the particles of a round.
absl::Status LookAtBase(Evaluator& evaluator, const ReferenceOptions& options,
                        const AnnealedIslands& round, Rounds* rounds) {
  if (!options.pilot) return absl::OkStatus();
  absl::StatusOr<BaseRefit> refit = RefitToIslands(evaluator, rounds->base, round);
  if (!refit.ok()) return refit.status();
  rounds->unsettled = refit->gain < kSettledGain ? 0 : refit->deficit;
  rounds->better = std::move(refit->base);
  return absl::OkStatus();
}

// A round that is cancelled, be it while its base is looked at, leaves state->rounds as it was.
absl::Status RunRound(Evaluator& evaluator, const ReferenceOptions& options, uint64_t seed,
                      const SafePointFunction& safe_point, ReferenceState* state) {
  Rounds& rounds = state->rounds;
  if (!state->annealing.begun()) state->before = evaluator.evaluated();
  AnnealingOptions annealing = AnnealingOf(options);
  annealing.particles = state->particles;
  annealing.max_evaluations = options.max_evaluations - state->before;
  const uint64_t own = SubSeed(seed, RngPurpose::kExploreSeed, static_cast<uint64_t>(rounds.done));
  absl::StatusOr<AnnealedIslands> round =
      Anneal(evaluator, rounds.base, annealing, own, safe_point, &state->annealing);
  if (!round.ok()) return round.status();
  const int64_t spent = evaluator.evaluated() - state->before;
  const bool first = rounds.done == 0;
  if (first && !std::isfinite(round->log_z.maxCoeff())) {
    return absl::FailedPreconditionError(
        "no point near the start has a finite log density: there is nothing to anneal to");
  }
  if (first) rounds.reached = round->reached;
  rounds.exhausted = !first && !(round->reached && std::isfinite(round->log_z.maxCoeff()));
  if (!rounds.exhausted) {
    if (absl::Status s = LookAtBase(evaluator, options, *round, &rounds); !s.ok()) return s;
    AddToRounds(*round, options, state->particles, &rounds);
    rounds.evaluations_each =
        static_cast<double>(spent) / static_cast<double>(state->particles * options.islands);
    rounds.levels = std::move(round->levels);
  }
  ++rounds.done;
  return absl::OkStatus();
}

double StandardError(const Rounds& rounds) {
  if (!rounds.reached) return std::numeric_limits<double>::infinity();
  const double tail = rounds.sums.tail / rounds.sums.particles;
  return std::hypot(rounds.evidence.standard_error, rounds.unsettled, tail);
}

// Nothing as long as another round is worth its while.
std::optional<ReferenceEnd> EndOfRounds(const ReferenceOptions& options, const Rounds& rounds) {
  if (!rounds.reached) return ReferenceEnd::kNotAnnealed;
  if (options.target_standard_error == 0) return ReferenceEnd::kOneRound;
  if (rounds.exhausted) return ReferenceEnd::kEvaluations;
  if (StandardError(rounds) <= options.target_standard_error) return ReferenceEnd::kAccurate;
  return std::nullopt;
}

// Nothing where an error is one of the whole: no round is done yet, or it is another error.
std::optional<ReferenceEnd> StoppedBy(const absl::Status& status, const Rounds& rounds) {
  if (rounds.sums.particles == 0) return std::nullopt;
  if (absl::IsCancelled(status)) return ReferenceEnd::kStopped;
  if (absl::IsUnavailable(status)) return ReferenceEnd::kTargetLost;
  return std::nullopt;
}

// Of an island, for the next round: what the target is short of, at most four times all so far, and
// no more than there are evaluations for. 0: not even a small round can be paid.
int64_t NextParticles(const ReferenceOptions& options, const Rounds& rounds, int64_t dim,
                      int64_t evaluations_left) {
  constexpr double kMargin = 1.1, kMostGrowth = 4;
  const double ratio = StandardError(rounds) / options.target_standard_error;
  const double total = rounds.sums.particles;
  const double missing = total * std::min(kMargin * ratio * ratio - 1, kMostGrowth);
  const double affordable = static_cast<double>(evaluations_left) / rounds.evaluations_each /
                            static_cast<double>(options.islands);
  const double least = static_cast<double>(options.particles);
  if (affordable < least) return 0;
  const double wanted = std::min(std::max(missing, least), affordable);
  return std::min(WholeChains(wanted, options.states), MostParticles(options, dim));
}

ReferenceProgress ProgressOf(const Evaluator& evaluator, const Rounds& rounds) {
  ReferenceProgress progress;
  progress.evaluations = evaluator.evaluated();
  if (rounds.sums.particles == 0) return progress;
  progress.rounds = static_cast<int>(rounds.done);
  progress.log_z = rounds.evidence.log_z;
  progress.standard_error = StandardError(rounds);
  return progress;
}

// Rounds until one of the ends is reached, which is returned.
absl::StatusOr<ReferenceEnd> RunRounds(Evaluator& evaluator, const ReferenceOptions& options,
                                       uint64_t seed, const SafePointFunction& safe_point,
                                       ReferenceState* state) {
  Rounds& rounds = state->rounds;
  ReferenceEnd last = ReferenceEnd::kEvaluations;
  while (state->particles > 0) {
    const absl::Status status = RunRound(evaluator, options, seed, safe_point, state);
    const std::optional<ReferenceEnd> stopped = StoppedBy(status, rounds);
    if (!status.ok() && !stopped) return status;
    const int64_t left = options.max_evaluations - evaluator.evaluated();
    const std::optional<ReferenceEnd> end = stopped ? stopped : EndOfRounds(options, rounds);
    state->particles = end ? 0 : NextParticles(options, rounds, evaluator.dim(), left);
    last = end.value_or(ReferenceEnd::kEvaluations);
    if (state->particles > 0 && rounds.unsettled > kMostUnsettled * options.target_standard_error) {
      rounds.base = rounds.better;
      rounds.stale = true;
    }
  }
  return last;
}

// What the rounds have come to, without draws.
Reference EstimatesOf(const Rounds& rounds, const ReferenceOptions& options) {
  Reference reference;
  reference.rounds = static_cast<int>(rounds.done);
  reference.levels = rounds.levels;
  reference.log_z = rounds.evidence.log_z;
  reference.log_z_multistate = rounds.evidence.log_z_multistate;
  reference.unsettled = rounds.unsettled;
  reference.standard_error = StandardError(rounds);
  if (options.kernel == AnnealingKernel::kSgld) {
    reference.kernel_bias = LangevinBias(reference.levels);
  }
  return reference;
}

// Draws, R̂, ESS and shares.
void Summarise(const AnnealingBase& base, const ReferenceOptions& options, uint64_t seed,
               const Rounds& rounds, ThreadPool& pool, Reference* reference) {
  const double u = UniformAt({seed, RngPurpose::kExploreResample, 0, 0}, 0);
  EqualDraws draws = ResamplePool(rounds.pool, options.draws, u);
  const std::vector<Eigen::MatrixXd> islands =
      DrawsByIsland(rounds.pool, options.islands, base.dim());
  reference->shares = ComponentShares(base, draws.z, pool);
  reference->island_shares.resize(base.size(), options.islands);
  for (int64_t i = 0; i < options.islands; ++i) {
    reference->island_shares.col(i) = ComponentShares(base, islands[static_cast<size_t>(i)], pool);
  }
  const Eigen::ArrayXd z =
      (rounds.sums.sequential.array() - rounds.sums.sequential.maxCoeff()).exp();
  const double island_share =
      z.sum() * z.sum() / (z.square().sum() * static_cast<double>(options.islands));
  reference->r_hat = RHat(islands);
  reference->ess = std::min(island_share * IslandEss(islands), static_cast<double>(draws.z.cols()));
  reference->draws = std::move(draws.z);
  reference->log_density = std::move(draws.log_p);
}

}  // namespace

std::string_view Describe(ReferenceEnd end) {
  switch (end) {
    case ReferenceEnd::kOneRound:
      return "one round, as asked";
    case ReferenceEnd::kAccurate:
      return "the standard error is as small as asked";
    case ReferenceEnd::kEvaluations:
      return "all evaluations were used before the standard error was as small as asked";
    case ReferenceEnd::kNotAnnealed:
      return "the evaluations did not suffice to reach the target";
    case ReferenceEnd::kStopped:
      return "it was stopped, and the rounds done by then count";
    case ReferenceEnd::kTargetLost:
      return "the target can no longer be evaluated, and the rounds done by then count";
  }
  return "";
}

absl::StatusOr<Reference> SampleReference(const Target& target,
                                          const std::vector<AffineGaussian>& start,
                                          const ReferenceOptions& options, uint64_t seed,
                                          ThreadPool& pool, const std::atomic<bool>* cancel,
                                          const ReferenceObserver& on_progress,
                                          const SafePointFunction& on_safe_point,
                                          ReferenceState* resumed) {
  if (absl::Status s = CheckStart(target, start); !s.ok()) return s;
  if (absl::Status s = CheckReferenceOptions(options, target.dim()); !s.ok()) return s;
  ReferenceState own;
  ReferenceState& state = resumed != nullptr ? *resumed : own;
  Rounds& rounds = state.rounds;
  Evaluator evaluator(target, pool, cancel, state.evaluations);
  if (on_progress) evaluator.OnEvaluated([&] { on_progress(ProgressOf(evaluator, rounds)); });
  SafePointFunction safe_point;
  if (on_safe_point) {
    safe_point = [&] {
      state.evaluations = evaluator.evaluated();
      on_safe_point();
    };
  }
  if (state.particles == 0) {
    if (absl::Status s = FitBase(evaluator, start, options, seed, safe_point, &state.pilot);
        !s.ok()) {
      return s;
    }
    rounds.base = state.pilot.result.base;
    state.particles = FirstParticles(options, state.pilot.result,
                                     options.max_evaluations - evaluator.evaluated());
  }
  const absl::StatusOr<ReferenceEnd> end = RunRounds(evaluator, options, seed, safe_point, &state);
  if (!end.ok()) return end.status();
  Reference reference = EstimatesOf(rounds, options);
  reference.end = *end;
  reference.evaluations = evaluator.evaluated();
  Summarise(MakeBase(start), options, seed, rounds, pool, &reference);
  return reference;
}

}  // namespace aisivi
