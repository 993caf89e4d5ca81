// Correlation matrices and their Cholesky factors, by canonical partial correlations tanh(y_ij).
//
//   L_ij = tanh(y_ij) ρ_ij for i > j,   L_ii = ρ_ii,   ρ_ij = Π_{l<j} sech(y_il)
//   cholesky_factor_corr  x = L (K×K)      log|J| = Σ_{i>j} (i − j + 1) log sech(y_ij)
//   corr_matrix           x = L Lᵀ (K×K)   log|J| = Σ_{i>j} (K − j + 1) log sech(y_ij)
//
// with i and j from 1; the coordinates of a factor row after row, those of a matrix column after
// column. K (K − 1) / 2 coordinates.
//
// Source: Stan reference manual, "Cholesky factors of correlation matrices", "Correlation
// matrices"; D. Lewandowski, D. Kurowicka, H. Joe, Generating random correlation matrices based on
// vines and extended onion method, Journal of Multivariate Analysis 100, 2009.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "engine/transforms/parameter.h"
#include "engine/transforms/transform.h"

namespace aisivi {

// `block`: K, K.
std::unique_ptr<const Transform> MakeCholeskyFactorCorr(const Constraint&,
                                                        const std::vector<int64_t>& block);
std::unique_ptr<const Transform> MakeCorrMatrix(const Constraint&,
                                                const std::vector<int64_t>& block);

}  // namespace aisivi
