// Batch-and-match: a full-rank Gaussian fitted to scores, in closed form.
// Cai, Modi, Pillaud-Vivien, Margossian, Gower, Blei, Saul, ICML 2024, arXiv 2402.14758.
//
// Each update minimises over q = N(μ, Σ) the score divergence over a batch z_b ~ q_t with scores
// g_b, kept near q_t:  (1/B) Σ_b ‖∇log q(z_b) − g_b‖²_Σ + (2/λ) KL(q_t‖q).  With the means z̄, ḡ and
// the covariances C, Γ of the batch:
//   U = λ Γ + λ/(1+λ) ḡ ḡᵀ
//   V = Σ_t + λ C + λ/(1+λ) (μ_t − z̄)(μ_t − z̄)ᵀ
//   Σ' U Σ' + Σ' = V
//   μ' = μ_t/(1+λ) + λ/(1+λ) (Σ' ḡ + z̄)
// The quadratic equation is solved symmetrically: with V = L Lᵀ and Lᵀ U L = Q diag(w) Qᵀ,
//   Σ' = L Q diag(2 / (1 + √(1 + 4w))) Qᵀ Lᵀ.
// Both sides are affine invariant, so the update is made in the coordinates x of q_t (z = b + A x),
// where μ_t = 0 and Σ_t = I. For a Gaussian target the fixed point is the target.
#pragma once

#include <Eigen/Core>
#include <cstdint>

#include "absl/status/statusor.h"
#include "engine/warmstart/evaluate.h"

namespace aisivi {

// One update of q_t. x: D×B draws of N(0, I); score: D×B scores in x; columns whose
// log density is not finite are left out. Requires at least one that is.
AffineGaussian BatchAndMatchUpdate(const AffineGaussian& current, const Eigen::MatrixXd& x,
                                   const Eigen::MatrixXd& score, const Eigen::VectorXd& log_density,
                                   double lambda);

struct BatchAndMatchOptions {
  int iterations = 10;
  int64_t batch = 256;  // draws per update; even
  DrawStream stream = DrawStream::kBatchAndMatch;
  // Tempering: update t sees the score of p̃^β N(0, sd² I)^(1−β) with β rising geometrically from
  // `first_beta` to 1 over the first `ladder` updates. ladder 0: none.
  int ladder = 0;
  double first_beta = 0.01;
  double base_sd = 5;
};

// The Gaussian after all updates, λ_t = B D / (t + 1) from the end of the ladder on. When fewer
// than a quarter of a batch can be evaluated the Gaussian is narrowed and the update repeated.
// FAILED_PRECONDITION when the fit runs away, collapses, or never finds points to evaluate; else
// the target's own error, or CANCELLED.
absl::StatusOr<AffineGaussian> BatchAndMatch(Evaluator& evaluator, const AffineGaussian& start,
                                             uint64_t seed, const BatchAndMatchOptions& options);

}  // namespace aisivi
