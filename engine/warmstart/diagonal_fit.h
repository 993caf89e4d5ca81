// A diagonal Gaussian that ascends the ELBO: for dimensions where a full covariance is too large,
// and for targets on which the full-rank fits fail.
//
// With z = b + s∘x and h = s∘∇_z log p̃, the natural-gradient step of kl_polish.h restricted to a
// diagonal precision: m_i = E[h_i], H_ii = E[h_i x_i], Λ'_i = 1 − ρ − ρ H_ii, b_i += s_i ρ
// m_i/Λ'_i, s_i /= √Λ'_i. Averages are over one fixed set of antithetic draws; a step is taken only
// when it raises the ELBO over them.
#pragma once

#include <Eigen/Core>
#include <cstdint>

#include "absl/status/statusor.h"
#include "engine/warmstart/evaluate.h"

namespace aisivi {

struct DiagonalFit {
  Eigen::VectorXd mean;  // b, D
  Eigen::VectorXd sd;    // s, D, positive
  double elbo;           // over the draws of the fit itself
  int iterations;
};

struct DiagonalOptions {
  int64_t draws = 512;  // even
  int max_iterations = 60;
  double tolerance = 1e-5;  // nats
};

// FAILED_PRECONDITION when the start cannot be evaluated or the fit runs away or collapses; else
// the target's own error, or CANCELLED.
absl::StatusOr<DiagonalFit> FitDiagonal(Evaluator& evaluator, const Eigen::VectorXd& mean,
                                        const Eigen::VectorXd& sd, uint64_t seed,
                                        const DiagonalOptions& options = {});

}  // namespace aisivi
