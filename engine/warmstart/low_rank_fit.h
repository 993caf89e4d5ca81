// A diagonal Gaussian corrected along the directions in which it is most wrong: low rank plus
// diagonal, for dimensions where a full covariance is too much to fit.
//
// In the coordinates x of the diagonal fit (z = b + s∘x), H = −E[∇²_x log p̃] is seen through
// products with vectors, from differences of scores at a few fixed points x_j:
//   H v ≈ mean_j (h(x_j − δv) − h(x_j + δv)) / (2δ),  h = s∘∇_z log p̃
// Lanczos' method finds the r eigenpairs (λ_i, v_i) farthest from λ = 1; the covariance in x is
// then
//   C = I + V (Λ⁻¹ − I) Vᵀ,  and A = diag(s) chol(C).
// The mean follows by damped Newton steps b += A Aᵀ E[∇ log p̃] that raise the ELBO.
#pragma once

#include <cstdint>

#include "absl/status/statusor.h"
#include "engine/warmstart/affine_gaussian.h"
#include "engine/warmstart/diagonal_fit.h"
#include "engine/warmstart/evaluate.h"

namespace aisivi {

struct LowRankOptions {
  int64_t rank = 32;   // r at most
  int64_t steps = 80;  // of Lanczos' method, at most D
};

struct LowRankFit {
  AffineGaussian gaussian;
  int64_t rank;  // directions that were corrected
};

// FAILED_PRECONDITION when scores cannot be evaluated around the diagonal fit or no direction needs
// a correction; else the target's own error, or CANCELLED.
absl::StatusOr<LowRankFit> FitLowRank(Evaluator& evaluator, const DiagonalFit& diagonal,
                                      uint64_t seed, const LowRankOptions& options = {});

}  // namespace aisivi
