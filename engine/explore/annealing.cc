#include "engine/explore/annealing.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "engine/evidence/pareto.h"
#include "engine/explore/hmc_moves.h"
#include "engine/explore/multistate.h"
#include "engine/explore/temperature.h"

namespace aisivi {
namespace {

constexpr size_t kMostLevels = 1000;
constexpr double kLongestTrajectory = 32;  // leapfrog steps

int Leapfrogs(double length, double step) {
  return static_cast<int>(std::clamp(std::round(length / step), 1.0, kLongestTrajectory));
}

// Trajectories of one length would be periodic where the target is a Gaussian: by up to 15 % to
// either side, evenly over the moves.
double Jitter(uint32_t move) {
  constexpr double kGolden = 0.61803398874989485;
  const double turns = kGolden * (move + 1);
  return 0.85 + 0.3 * (turns - std::floor(turns));
}

// The Langevin steps of a move.
int LangevinSteps(const AnnealingOptions& options) {
  const double length = options.leapfrog_length;
  return static_cast<int>(
      std::clamp(std::ceil(length * length / options.langevin_step), 1.0, kLongestTrajectory));
}

int64_t EvaluationsOfMove(const AnnealingOptions& options, double step) {
  return options.kernel == AnnealingKernel::kSgld ? LangevinSteps(options)
                                                  : Leapfrogs(options.leapfrog_length, step);
}

void Remember(int64_t islands, AnnealingState* walk) {
  walk->betas.push_back(walk->beta);
  walk->ratios.push_back(walk->particles.LogRatio(islands));
  walk->log_zs.push_back(walk->log_z);
}

// One trajectory; the step is adapted. Returns the acceptance.
absl::StatusOr<double> MoveByHmc(Evaluator& evaluator, const AnnealingBase& base,
                                 const AnnealingOptions& options, uint64_t seed,
                                 AnnealingState* walk, Population* chains) {
  const HmcMove move{.beta = walk->beta,
                     .step = walk->step * Jitter(walk->moves),
                     .leapfrogs = Leapfrogs(options.leapfrog_length, walk->step),
                     .seed = seed,
                     .number = walk->moves++};
  const absl::StatusOr<double> acceptance = MoveChains(evaluator, base, move, chains);
  if (acceptance.ok()) walk->step = AdaptedStep(walk->step, *acceptance);
  return acceptance;
}

// Langevin steps, each with a label of its own. Returns the acceptance that a test would have.
absl::StatusOr<double> MoveBySgld(Evaluator& evaluator, const AnnealingBase& base,
                                  const AnnealingOptions& options, uint64_t seed,
                                  AnnealingState* walk, Population* chains) {
  const int steps = LangevinSteps(options);
  double sum = 0;
  for (int i = 0; i < steps; ++i) {
    const absl::StatusOr<double> acceptance = MoveChains(evaluator, base,
                                                         {.beta = walk->beta,
                                                          .step = std::sqrt(options.langevin_step),
                                                          .leapfrogs = 1,
                                                          .seed = seed,
                                                          .number = walk->moves++,
                                                          .metropolis = false},
                                                         chains);
    if (!acceptance.ok()) return acceptance.status();
    sum += *acceptance;
  }
  return sum / steps;
}

// The chains from `ancestors`, all of their states.
absl::StatusOr<Population> RunChains(Evaluator& evaluator, const AnnealingBase& base,
                                     const AnnealingOptions& options, uint64_t seed,
                                     Population ancestors, AnnealingState* walk,
                                     AnnealingLevel* level) {
  Population all = UndefinedPopulation(base.dim(), ancestors.size() * options.states);
  for (int64_t state = 0;; ++state) {
    for (int64_t c = 0; c < ancestors.size(); ++c) {
      CopyParticle(ancestors, c, &all, c * options.states + state);
    }
    if (state + 1 == options.states) break;
    level->step = walk->step;
    const absl::StatusOr<double> acceptance =
        options.kernel == AnnealingKernel::kSgld
            ? MoveBySgld(evaluator, base, options, seed, walk, &ancestors)
            : MoveByHmc(evaluator, base, options, seed, walk, &ancestors);
    if (!acceptance.ok()) return acceptance.status();
    level->acceptance += *acceptance / static_cast<double>(options.states - 1);
  }
  return all;
}

// What the tail of the weights exp(Δβ δ) may hold that no particle has met, in units of their sum.
double UnmetTail(const Eigen::MatrixXd& ratio, double increment) {
  const Eigen::VectorXd log_weights = ratio.reshaped() * increment;
  const double highest = log_weights.maxCoeff();
  if (!std::isfinite(highest)) return 1;
  const double k = SmoothWeights(log_weights).k;
  if (std::isnan(k)) return 0;
  const double count = static_cast<double>(log_weights.size());
  const double largest = 1 / (log_weights.array() - highest).exp().mean();
  return std::min(1.0, (largest - 1) / count * TailBeyond(std::clamp(k, -1.0, 10.0)));
}

// One step of β. `affordable`: whether moves can be made; else the step goes all the way.
absl::StatusOr<AnnealingLevel> NextLevel(Evaluator& evaluator, const AnnealingBase& base,
                                         const AnnealingOptions& options, uint64_t seed,
                                         bool affordable, AnnealingState* walk) {
  const Eigen::MatrixXd& ratio = walk->ratios.back();
  const double next = affordable ? NextBeta(ratio, walk->beta, options.ess_share) : 1;
  const double increment = next - walk->beta;
  AnnealingLevel level{.beta = next, .ess = MeanEss(ratio, increment)};
  walk->tail = std::hypot(walk->tail, UnmetTail(ratio, increment));
  walk->log_z += LogMeanWeights(ratio, increment);
  const int64_t ancestors = options.particles / (affordable ? options.states : 1);
  Population chosen = ResampleIslands(walk->particles, options.islands, increment, ancestors, seed,
                                      static_cast<uint32_t>(walk->betas.size()));
  walk->beta = next;
  if (affordable) {
    absl::StatusOr<Population> moved =
        RunChains(evaluator, base, options, seed, std::move(chosen), walk, &level);
    if (!moved.ok()) return moved.status();
    walk->particles = *std::move(moved);
  } else {
    walk->particles = std::move(chosen);
  }
  Remember(options.islands, walk);
  return level;
}

absl::StatusOr<Eigen::VectorXd> MultistateLogZs(const AnnealingState& walk, Evaluator& evaluator) {
  const int64_t states = static_cast<int64_t>(walk.betas.size());
  const Eigen::VectorXd beta = Eigen::Map<const Eigen::VectorXd>(walk.betas.data(), states);
  Eigen::VectorXd result = walk.log_z;
  const auto cancelled = [&] { return !evaluator.CheckCancel().ok(); };
  evaluator.pool().ParallelFor(walk.log_z.size(), [&](int64_t island, int) {
    if (walk.log_z[island] == kNoWeight || cancelled()) return;
    Eigen::MatrixXd ratio(walk.ratios.front().rows(), states);
    Eigen::VectorXd log_z(states);
    for (int64_t s = 0; s < states; ++s) {
      ratio.col(s) = walk.ratios[static_cast<size_t>(s)].col(island);
      log_z[s] = walk.log_zs[static_cast<size_t>(s)][island];
    }
    result[island] = MultistateLogZ(ratio, beta, log_z, cancelled);
  });
  if (absl::Status s = evaluator.CheckCancel(); !s.ok()) return s;
  return result;
}

double FirstStep(const AnnealingOptions& options, int64_t dim) {
  if (options.kernel == AnnealingKernel::kSgld) return std::sqrt(options.langevin_step);
  return std::min(1.0, 1.4 * std::pow(static_cast<double>(dim), -0.25));
}

absl::Status BeginAnnealing(Evaluator& evaluator, const AnnealingBase& base,
                            const AnnealingOptions& options, uint64_t seed, AnnealingState* walk) {
  walk->last_evaluation = evaluator.evaluated() + options.max_evaluations;
  absl::StatusOr<Population> start =
      DrawPopulation(evaluator, base, seed, options.islands, options.particles);
  if (!start.ok()) return start.status();
  walk->particles = *std::move(start);
  walk->step = FirstStep(options, base.dim());
  walk->log_z = Eigen::VectorXd::Zero(options.islands);
  Remember(options.islands, walk);
  return absl::OkStatus();
}

}  // namespace

double LangevinBias(const std::vector<AnnealingLevel>& levels) {
  constexpr double kHalfRootPi = 0.88622692545275801;
  double largest = 0;
  for (const AnnealingLevel& level : levels) {
    if (level.step == 0) continue;
    largest = std::max(largest, kHalfRootPi * (1 - level.acceptance) / level.step);
  }
  return largest;
}

absl::StatusOr<AnnealedIslands> Anneal(Evaluator& evaluator, const AnnealingBase& base,
                                       const AnnealingOptions& options, uint64_t seed,
                                       const SafePointFunction& safe_point, AnnealingState* state) {
  AnnealingState& walk = *state;
  if (!walk.begun()) {
    if (absl::Status s = BeginAnnealing(evaluator, base, options, seed, &walk); !s.ok()) return s;
  }
  const int64_t moved = options.islands * options.particles / options.states * (options.states - 1);
  while (walk.beta < 1 && walk.log_z.maxCoeff() > kNoWeight) {
    if (safe_point) safe_point();
    const int64_t cost = moved * EvaluationsOfMove(options, walk.step);
    const bool affordable =
        evaluator.evaluated() + cost <= walk.last_evaluation && walk.levels.size() < kMostLevels;
    walk.reached = affordable || NextBeta(walk.ratios.back(), walk.beta, options.ess_share) == 1;
    const absl::StatusOr<AnnealingLevel> level =
        NextLevel(evaluator, base, options, seed, affordable, &walk);
    if (!level.ok()) return level.status();
    walk.levels.push_back(*level);
  }
  absl::StatusOr<Eigen::VectorXd> multistate = MultistateLogZs(walk, evaluator);
  if (!multistate.ok()) return multistate.status();
  AnnealedIslands result;
  result.log_z_multistate = *std::move(multistate);
  result.log_z = std::move(walk.log_z);
  result.tail = walk.tail;
  result.particles = std::move(walk.particles);
  result.levels = std::move(walk.levels);
  result.reached = walk.reached;
  walk = {};
  return result;
}

}  // namespace aisivi
