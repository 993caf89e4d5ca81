// Annealed sequential Monte Carlo from a base to the target, in islands.
//
//   N draws of the base for each of I islands; then, until β = 1:
//     β' with the wanted mean effective sample size of w = exp((β' − β) δ)       temperature.h
//     log Z_i += log mean w over island i
//     N/P ancestors for each island by resampling, P − 1 moves of each           hmc_moves.h
//     all P states of all chains are the N particles of β'                       waste-free
//
// The islands walk in lockstep, with β, metric and step size in common; their particles never meet,
// so that their estimates Ẑ_i of Z are as good as independent, and each is unbiased.
//
// Kernels. A move of kHmc is one trajectory of length ε L = ℓ, its step adapted to acceptance. A
// move of kSgld is ⌈ℓ²/h⌉ Langevin steps of fixed size h, at most 32, each on all of the target: as
// many as a random walk needs to come as far as a trajectory, for their noise has the variance ℓ²
// in all. It is stochastic gradient Langevin dynamics whose minibatch is the whole of the data,
// since a target evaluates no less. Its steps leave no π_β invariant, but laws at a distance of
// O(h), so
//   draws    are of that law at β = 1, once the chains have forgotten where they began
//   log Ẑ    is off by about ∫₀¹ (E_{π_β,h} δ − E_{π_β} δ) dβ = O(h), in every island alike; more
//            particles do not lessen it, and no spread of islands shows it
// What shows it is how many steps a Metropolis test would have refused, a share r: for a Gaussian
// whose metric is its covariance, to first order in h,
//   r = h^{3/2} √D / (4 √(2π)),   KL(π_h‖π) = D h²/64,   √(KL/2) = (√π/2) r/√h  ≥  TV(π_h, π)
// which is taken for a measure elsewhere too (LangevinBias()).
// Source: Dau & Chopin, Waste-free sequential Monte Carlo, JRSS B 2022 (arXiv 2011.02328);
// EXPLORER.md, step 4. SGLD: Welling & Teh, ICML 2011.
#pragma once

#include <Eigen/Core>
#include <cstdint>
#include <functional>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/explore/base.h"
#include "engine/explore/population.h"
#include "engine/warmstart/evaluate.h"

namespace aisivi {

enum class AnnealingKernel { kHmc, kSgld };

struct AnnealingOptions {
  int64_t islands = 8;           // I
  int64_t particles = 512;       // N, of an island; a multiple of `states`
  int64_t states = 8;            // P, of a chain
  double ess_share = 0.5;        // of the particles with any weight, for the next β
  double leapfrog_length = 1.5;  // ℓ = ε L
  AnnealingKernel kernel = AnnealingKernel::kHmc;
  double langevin_step = 0.1;         // h, in whitened units squared
  int64_t max_evaluations = 1 << 24;  // about: a level that has begun is finished
};

struct AnnealingLevel {
  double beta = 0;
  double ess = 0;         // of the weights that led to it, mean over islands
  double acceptance = 0;  // mean of its moves; of kSgld, what a test would have made of them
  double step = 0;        // ε of the last of them, √h of kSgld; 0: no moves could be paid
};

// The largest (√π/2) (1 − acceptance)/√h of any level with moves: about how far, in total
// variation, the law of Langevin steps of size h is from π_β. 0 without moves.
double LangevinBias(const std::vector<AnnealingLevel>& levels);

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

// What an annealing carries from level to level. S levels so far, β = 0 first.
struct AnnealingState {
  Population particles;  // of β
  double beta = 0;
  double step = 0;                      // of the next move
  uint32_t moves = 0;                   // made so far
  Eigen::VectorXd log_z;                // I, of π_β
  double tail = 0;                      // as in AnnealedIslands
  std::vector<double> betas;            // S
  std::vector<Eigen::MatrixXd> ratios;  // S, δ of their particles, N×I
  std::vector<Eigen::VectorXd> log_zs;  // S
  std::vector<AnnealingLevel> levels;   // S − 1
  bool reached = true;                  // as in AnnealedIslands
  int64_t last_evaluation = 0;          // of the evaluator, beyond which no moves are made

  bool begun() const { return !betas.empty(); }
};

// Called where a run may be interrupted: what goes on from the state as it is then ends with the
// same bits.
using SafePointFunction = std::function<void()>;

// Goes on from `state`, which afterwards is spent; from an empty one it begins. Deterministic in
// (base, options, seed) at any number of threads. `safe_point` may be empty; it is called before
// every level. Error: the target's own, or CANCELLED.
absl::StatusOr<AnnealedIslands> Anneal(Evaluator& evaluator, const AnnealingBase& base,
                                       const AnnealingOptions& options, uint64_t seed,
                                       const SafePointFunction& safe_point, AnnealingState* state);

}  // namespace aisivi
