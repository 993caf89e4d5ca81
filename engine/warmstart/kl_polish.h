// The full-rank Gaussian that minimises KL(q‖p), by natural-gradient ascent of the ELBO.
//
// With z = b + A x and h(x) = Aᵀ ∇_z log p̃(b + A x), Bonnet's and Price's theorems give the
// gradients of the ELBO in the Gaussian's own coordinates from scores alone (Stein's identity):
//   m = E[h],   H = E[∇²_x log p̃] = sym E[h xᵀ]
// and a natural-gradient step of length ρ is (Khan & Rue, JMLR 2023, arXiv 2107.04562)
//   Λ' = (1 − ρ) I − ρ H,   Σ'_x = Λ'⁻¹,   μ'_x = ρ Λ'⁻¹ m.
// Its fixed point, m = 0 and H = −I, is that of KL(q‖p). Expectations are averages over one fixed
// set of draws with exact second moments, so a step is exact on a Gaussian target, the objective is
// a deterministic function, and every accepted step raises it.
#pragma once

#include <Eigen/Core>
#include <cstdint>

#include "absl/status/statusor.h"
#include "engine/warmstart/evaluate.h"

namespace aisivi {

struct PolishOptions {
  int64_t draws = 1024;     // even, at least 4 D
  int max_iterations = 30;  // evaluations of all draws
  double tolerance = 1e-5;  // nats: stop when a step promises or brings less
  DrawStream stream = DrawStream::kCoarsePolish;
};

struct Polished {
  AffineGaussian gaussian;
  double elbo;  // over the draws of the polish itself
  int iterations;
};

// FAILED_PRECONDITION when the start cannot be evaluated or the Gaussian runs away or collapses (an
// unbounded or flat target); else the target's own error, or CANCELLED.
absl::StatusOr<Polished> PolishGaussian(Evaluator& evaluator, const AffineGaussian& start,
                                        uint64_t seed, const PolishOptions& options);

// A natural-gradient step in the coordinates of the current Gaussian, within a trust region:
// variances grow at most fourfold and shrink at most sixteenfold along any direction.
class NaturalStep {
 public:
  NaturalStep() = default;
  // m: D; h: D×D symmetric, as above.
  NaturalStep(const Eigen::VectorXd& m, const Eigen::MatrixXd& h);

  // The Gaussian a step of length rho leads to.
  AffineGaussian Apply(const AffineGaussian& current, double rho) const;
  // ½‖m‖² + ¼‖H + I‖²: what the quadratic model promises at ρ = 1, nats.
  double promise() const { return promise_; }

 private:
  Eigen::MatrixXd vectors_;    // eigenvectors of −H
  Eigen::VectorXd precision_;  // eigenvalues of −H
  Eigen::VectorXd gradient_;   // m in that basis
  double promise_ = 0;
};

}  // namespace aisivi
