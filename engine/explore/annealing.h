// Annealed sequential Monte Carlo from a base to the target, in islands.
//
//   N draws of the base for each of I islands; then, until β = 1:
//     β' with the wanted mean effective sample size of w = exp((β' − β) δ)       temperature.h
//     log Z_i += log mean w over island i
//     N/P ancestors for each island by resampling, P − 1 HMC moves of each       hmc_moves.h
//     all P states of all chains are the N particles of β'                       waste-free
//
// The islands walk in lockstep, with β, metric and step size in common; their particles never meet,
// so that their estimates Ẑ_i of Z are as good as independent, and each is unbiased.
// Source: Dau & Chopin, Waste-free sequential Monte Carlo, JRSS B 2022 (arXiv 2011.02328);
// EXPLORER.md, step 4.
#pragma once

#include <Eigen/Core>
#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/explore/base.h"
#include "engine/explore/population.h"
#include "engine/warmstart/evaluate.h"

namespace aisivi {

struct AnnealingOptions {
  int64_t islands = 8;                // I
  int64_t particles = 512;            // N, of an island; a multiple of `states`
  int64_t states = 8;                 // P, of a chain
  double ess_share = 0.5;             // of the particles with any weight, for the next β
  double leapfrog_length = 1.5;       // ε L
  int64_t max_evaluations = 1 << 24;  // about: a level that has begun is finished
};

struct AnnealingLevel {
  double beta = 0;
  double ess = 0;         // of the weights that led to it, mean over islands
  double acceptance = 0;  // mean of its moves
  double step = 0;        // ε of the last of them
};

struct AnnealedIslands {
  Population particles;   // of β = 1, of equal weight within an island
  Eigen::VectorXd log_z;  // I; log Ẑ_i, −∞ for an island whose weights were all zero
  Eigen::VectorXd log_z_multistate;  // I; the same by multistate.h
  // √(Σ_levels u²), u = min(1, (max w − 1)/(I N) · TailBeyond(k̂)) of the weights w of all islands
  // in units of their mean: what evidence/evidence.h allows for weights that no particle has met.
  double tail = 0;
  std::vector<AnnealingLevel> levels;
  // False: evaluations (or 1,000 levels) ran out first, and one step as long as need be was taken
  // to β = 1.
  bool reached = true;
};

// Deterministic in (base, options, seed) at any number of threads. Error: the target's own, or
// CANCELLED.
absl::StatusOr<AnnealedIslands> Anneal(Evaluator& evaluator, const AnnealingBase& base,
                                       const AnnealingOptions& options, uint64_t seed);

}  // namespace aisivi
