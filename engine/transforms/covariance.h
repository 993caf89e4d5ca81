// Covariance matrices and their Cholesky factors.
//
//   L_ij = y_ij for i > j,   L_ii = e^{y_ii},   0 above the diagonal;   y row after row
//   cholesky_factor_cov  x = L (M×N, M ≥ N)    log|J| = Σ_i y_ii
//   cov_matrix           x = L Lᵀ (K×K)        log|J| = K log 2 + Σ_i (K − i + 2) y_ii,  i from 1
//
// Source: Stan reference manual, "Cholesky factors of covariance matrices", "Covariance matrices".
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "engine/transforms/parameter.h"
#include "engine/transforms/transform.h"

namespace aisivi {

// `block`: M, N with M ≥ N.
std::unique_ptr<const Transform> MakeCholeskyFactorCov(const Constraint&,
                                                       const std::vector<int64_t>& block);
// `block`: K, K.
std::unique_ptr<const Transform> MakeCovMatrix(const Constraint&,
                                               const std::vector<int64_t>& block);

}  // namespace aisivi
