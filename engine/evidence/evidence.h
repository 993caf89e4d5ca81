// How good a fitted posterior is: ELBO sandwich and log evidence.
//
// Draw z with its generating ε₀; draw ε_1..ε_K ~ τ(·|z); v_i = p(ε_i) q(z|ε_i) / τ(ε_i|z).
//   q̂₊(z) = (1/(K+1)) Σ_{i=0..K} v_i      E log q̂₊(z) ≥ log q(z): lower bound of the ELBO
//   q̂(z)  = (1/K)     Σ_{i=1..K} v_i      E log q̂(z)  ≤ log q(z): upper bound of the ELBO
//   Ẑ = mean_j p̃(z_j) / q̂₊(z_j)           unbiased: E Ẑ = Z
// Draws where p̃ is zero, or not a number, count: both bounds are those of q restricted to the other
// draws, whose share s adds log s (engine/methods/elbo.h). What is not a number is so taken for
// zero, which can only lower a bound of log Z and Ẑ itself; `non_finite` tells how many there were.
//
// The standard error of log Ẑ, with weights w in units of their mean, k̂ their tail:
//   √(se² + u²),  se² = var(w)/M,  u = min(1, (max w − 1)/M · TailBeyond(k̂))
// se is the delta method. The sample variance of heavy-tailed weights misses what no draw has met,
// and the mean falls short by as much: u is the size of that (see pareto.h), next to nothing where
// k̂ < 0.5, and nothing for weights that are equal to rounding.
//
// Without a proposal the inner samples come from p(ε) and are shared by groups of 64 draws, whose
// errors are then correlated: se is that between groups (engine/methods/elbo.h) where that is
// larger, and so are those of the bounds; the ESS is at most M/(1 + M se²), what independent
// weights of that standard error would have. With a single group the standard errors are NaN. See
// DESIGN.md §1. Weights and sums are double precision.
#pragma once

#include <Eigen/Core>
#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/evidence/not_available.h"
#include "engine/methods/elbo.h"
#include "engine/model/model.h"
#include "engine/parallel/thread_pool.h"
#include "engine/targets/target.h"

namespace aisivi {

// What an estimate is from: the importance weights of a model's draws, as above, or annealing
// (engine/explore/reference.h), which has no bounds and no weights: these fields stay NaN.
enum class EvidenceKind { kWeights, kAnnealing };

// Fields are natural logs; NaN until estimated, for which two finite weights are needed.
struct EvidenceEstimate {
  EvidenceKind kind = EvidenceKind::kWeights;
  double log_z = kNotAvailable;           // log Ẑ
  double standard_error = kNotAvailable;  // of log_z
  double elbo_lower = kNotAvailable;      // E[log p̃ − log q̂₊]
  double elbo_lower_se = kNotAvailable;
  double elbo_upper = kNotAvailable;  // E[log p̃ − log q̂]
  double elbo_upper_se = kNotAvailable;
  // (Σw)²/Σw² of the weights p̃/q̂₊, or less as above, in draws; kAnnealing: how many independent
  // draws are worth as much.
  double ess = kNotAvailable;
  double pareto_k = kNotAvailable;  // tail index of those weights, in [−1, 10]; see verdict.h
  double largest_weight = kNotAvailable;  // in units of their mean, 1 to M
  int64_t draws = 0;                      // M; kAnnealing: those that were kept
  int64_t inner_samples = 0;              // K
  int64_t non_finite = 0;                 // draws whose weight was not finite and counts as zero
  // kAnnealing: the standard error that was asked for; 0: none.
  double wanted_error = kNotAvailable;
  // kAnnealing: about how far, in total variation, the law of the draws is from the target where
  // the moves do not leave it invariant (engine/explore/annealing.h); 0: they do.
  double kernel_bias = 0;
};

// Draws with the terms of their importance weight. One column (entry) per draw.
struct DrawBatch {
  Eigen::MatrixXd z;            // D×N
  Eigen::VectorXd log_p;        // N; log p̃(z)
  Eigen::VectorXd log_q;        // N; log q̂₊(z)
  Eigen::VectorXd log_q_upper;  // N; log q̂(z) without ε₀ (its mean bounds the ELBO from above)
  DrawGroups groups;            // which draws share inner samples
};

// Draws number `first` … `first + count − 1` of the sequence that `seed` names: the same numbers
// however the sequence is cut into calls. `inner_samples` is K; 0 skips the density terms (log_q is
// then empty; log_p too when target is null). count·D ≤ 2^27. Of a set of draws the sequence goes
// through all of them in a random order, then again in another, and log_q is known for any K > 0
// (model/draw_set.h).
absl::StatusOr<DrawBatch> Draw(const Model& model, const Target* target, uint64_t seed,
                               int64_t first, int64_t count, int64_t inner_samples,
                               ThreadPool& pool, const std::atomic<bool>* cancel = nullptr);

// CANCELLED when `cancel` was set on the way; FAILED_PRECONDITION "model: …" for a set of draws,
// whose weights are equal by construction and tell nothing.
absl::StatusOr<EvidenceEstimate> EstimateEvidence(const Model& model, const Target& target,
                                                  uint64_t seed, int64_t draws,
                                                  int64_t inner_samples, ThreadPool& pool,
                                                  const std::atomic<bool>* cancel = nullptr);

// Whether the weights are equal to rounding: an ESS share of 1 − 1e-6 or more, log weights that
// differ by 1e-3 at most. What they have of a tail is that of the rounding.
bool WeightsAreEqual(const EvidenceEstimate& e);

// The same from draws already made; their z is not used. log_weight = log_p − log_q.
EvidenceEstimate EvidenceFromDraws(const DrawBatch& draws, int64_t inner_samples);

}  // namespace aisivi
