// Curvature of log p̃ at a point, by finite differences of the score, and the Gaussian it implies.
//
//   H_ij ≈ (∇_i log p̃(z + h_j e_j) − ∇_i log p̃(z − h_j e_j)) / 2 h_j, symmetrised (D×D)
//
// All 2D points are one batch. The steps h_j are first relative to |z_j|, then refined to a
// fraction of the standard deviation that the curvature itself implies.
#pragma once

#include <Eigen/Core>

#include "absl/status/statusor.h"
#include "engine/warmstart/evaluate.h"

namespace aisivi {

// H at z (D). OUT_OF_RANGE when a neighbour of z cannot be evaluated; else the target's own error,
// or CANCELLED.
absl::StatusOr<Eigen::MatrixXd> Curvature(Evaluator& evaluator, const Eigen::VectorXd& z);

// The Gaussian N(mode, (−H)⁻¹) with the eigenvalues of −H made positive: |λ|, floored at 1e-10 of
// the largest and at 1e-8. FAILED_PRECONDITION when H is zero (a flat target) or not finite.
absl::StatusOr<AffineGaussian> LaplaceGaussian(const Eigen::VectorXd& mode,
                                               const Eigen::MatrixXd& curvature);

}  // namespace aisivi
