#include "engine/explore/hmc_moves.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "engine/explore/shards.h"
#include "engine/parallel/rng.h"

namespace aisivi {
namespace {

constexpr double kFarthest = 1e100;  // beyond, a trajectory has run away

// Where the trajectories of all chains are.
struct Trajectories {
  Population at;
  Eigen::MatrixXd momentum;   // D×C, in the coordinates of the component
  std::vector<int> label;     // C, the component k
  Eigen::VectorXd potential;  // C, U_k(z)
  Eigen::VectorXd start;      // C, U_k(z) − ½‖p‖² of the start
  std::vector<char> lost;     // C, ran away
};

const AffineGaussian& MetricOf(const AnnealingBase& base, const Trajectories& paths, int64_t i) {
  return base.components[static_cast<size_t>(paths.label[static_cast<size_t>(i)])];
}

// k with probability r_k, for every row of the responsibilities.
void DrawLabels(const HmcMove& move, const ColumnShard& shard, const BaseTerms& terms,
                Trajectories* paths) {
  const Eigen::MatrixXd share = terms.Responsibilities();
  for (int64_t i = 0; i < shard.count; ++i) {
    double u = UniformAt({move.seed, RngPurpose::kExploreLabel, move.number, shard.index},
                         static_cast<uint32_t>(i));
    int k = 0;
    for (const int last = static_cast<int>(share.cols()) - 1; k < last; ++k) {
      u -= share(i, k);
      if (u < 0) break;
    }
    paths->label[static_cast<size_t>(shard.first + i)] = k;
  }
}

void DrawMomenta(const HmcMove& move, const ColumnShard& shard, Trajectories* paths) {
  Eigen::MatrixXf values(paths->momentum.rows(), shard.count);
  FillNormal({move.seed, RngPurpose::kExploreMomentum, move.number, shard.index}, values.data(),
             values.size());
  paths->momentum.middleCols(shard.first, shard.count) = values.cast<double>();
}

// U_k, and p ← p + length A_kᵀ ∇U_k.
void Kick(const AnnealingBase& base, double beta, double length, const ColumnShard& shard,
          const BaseTerms& terms, Trajectories* paths) {
  Eigen::MatrixXd coefficients = -beta * terms.Responsibilities();
  for (int64_t i = 0; i < shard.count; ++i) {
    const int64_t chain = shard.first + i;
    const int k = paths->label[static_cast<size_t>(chain)];
    coefficients(i, k) += 1;
    paths->potential[chain] =
        beta * paths->at.log_p[chain] + terms.log_component(i, k) - beta * terms.log_base[i];
  }
  const Eigen::MatrixXd force =
      length * (beta * paths->at.score.middleCols(shard.first, shard.count) +
                SumOfScores(base, terms, coefficients));
  for (int64_t i = 0; i < shard.count; ++i) {
    const Eigen::MatrixXd& scale = MetricOf(base, *paths, shard.first + i).scale;
    paths->momentum.col(shard.first + i) +=
        scale.transpose().triangularView<Eigen::Upper>() * force.col(i);
  }
}

void Start(const AnnealingBase& base, const HmcMove& move, const ColumnShard& shard,
           Trajectories* paths) {
  const BaseTerms terms = EvaluateBase(base, paths->at.z.middleCols(shard.first, shard.count));
  DrawLabels(move, shard, terms, paths);
  DrawMomenta(move, shard, paths);
  const Eigen::VectorXd kinetic =
      0.5 * paths->momentum.middleCols(shard.first, shard.count).colwise().squaredNorm();
  Kick(base, move.beta, 0.5 * move.step, shard, terms, paths);
  paths->start.segment(shard.first, shard.count) =
      paths->potential.segment(shard.first, shard.count) - kinetic;
}

// z ← z + ε A_k p; what runs away goes back, for the target never to see it.
void Drift(const AnnealingBase& base, const HmcMove& move, const Population& chains,
           const ColumnShard& shard, Trajectories* paths) {
  for (int64_t i = shard.first; i < shard.first + shard.count; ++i) {
    const Eigen::VectorXd distance = move.step * paths->momentum.col(i);
    paths->at.z.col(i) += MetricOf(base, *paths, i).scale.triangularView<Eigen::Lower>() * distance;
    if (paths->at.z.col(i).allFinite() && paths->at.z.col(i).cwiseAbs().maxCoeff() < kFarthest) {
      continue;
    }
    paths->lost[static_cast<size_t>(i)] = 1;
    paths->at.z.col(i) = chains.z.col(i);
    paths->momentum.col(i).setZero();
  }
}

absl::Status Leapfrog(Evaluator& evaluator, const AnnealingBase& base, const HmcMove& move,
                      const Population& chains, Trajectories* paths) {
  Evaluation evaluation;
  for (int l = 1; l <= move.leapfrogs; ++l) {
    ForColumnShards(evaluator.pool(), chains.size(),
                    [&](const ColumnShard& shard) { Drift(base, move, chains, shard, paths); });
    if (absl::Status s = evaluator.Evaluate(paths->at.z, &evaluation); !s.ok()) return s;
    paths->at.log_p.swap(evaluation.log_density);
    paths->at.score.swap(evaluation.score);
    const double length = (l == move.leapfrogs ? 0.5 : 1.0) * move.step;
    ForColumnShards(evaluator.pool(), chains.size(), [&](const ColumnShard& shard) {
      const BaseTerms terms = EvaluateBase(base, paths->at.z.middleCols(shard.first, shard.count));
      paths->at.log_base.segment(shard.first, shard.count) = terms.log_base;
      Kick(base, move.beta, length, shard, terms, paths);
    });
  }
  return absl::OkStatus();
}

// Returns the mean probability.
double Accept(const HmcMove& move, const Trajectories& paths, Population* chains) {
  double sum = 0;
  for (int64_t i = 0; i < chains->size(); ++i) {
    const double end = paths.potential[i] - 0.5 * paths.momentum.col(i).squaredNorm();
    if (paths.lost[static_cast<size_t>(i)] != 0 || !std::isfinite(end)) continue;
    const double probability = std::min(1.0, std::exp(end - paths.start[i]));
    sum += probability;
    if (!move.metropolis) {
      CopyParticle(paths.at, i, chains, i);
      continue;
    }
    const double u = UniformAt({move.seed, RngPurpose::kExploreAccept, move.number, 0},
                               static_cast<uint32_t>(i));
    if (u < probability) CopyParticle(paths.at, i, chains, i);
  }
  return sum / static_cast<double>(chains->size());
}

}  // namespace

absl::StatusOr<double> MoveChains(Evaluator& evaluator, const AnnealingBase& base,
                                  const HmcMove& move, Population* chains) {
  Trajectories paths;
  paths.at = *chains;
  paths.momentum.resize(base.dim(), chains->size());
  paths.label.resize(static_cast<size_t>(chains->size()));
  paths.potential.resize(chains->size());
  paths.start.resize(chains->size());
  paths.lost.assign(static_cast<size_t>(chains->size()), 0);
  ForColumnShards(evaluator.pool(), chains->size(),
                  [&](const ColumnShard& shard) { Start(base, move, shard, &paths); });
  if (absl::Status s = Leapfrog(evaluator, base, move, *chains, &paths); !s.ok()) return s;
  return Accept(move, paths, chains);
}

double AdaptedStep(double step, double acceptance) {
  constexpr double kWanted = 0.8, kGain = 0.8, kShortest = 1e-4, kLongest = 1.5;
  return std::clamp(step * std::exp(kGain * (acceptance - kWanted)), kShortest, kLongest);
}

}  // namespace aisivi
