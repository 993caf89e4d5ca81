// Σ_i ℓ_i(η_i) with η = X β, and its gradient Xᵀ ℓ', for a batch of β: the likelihood of a
// generalised linear model.
//
// X is N×P, a batch of β is P×M. Rows and points are taken in tiles, so that η (N×M) is never
// stored and a tile stays in cache.
#pragma once

#include <Eigen/Core>
#include <algorithm>

namespace aisivi {

// Adds the likelihood to log_density (M) and, unless null, its gradient to score (P×M).
//
// tile(first_row, eta, log_density, gradient): `eta` holds η for rows first_row … of some points
// (rows×points). It adds each column's Σ ℓ to `log_density` (points) and, when `gradient` is true,
// replaces `eta` by ℓ'(η).
template <typename Tile>
void AddLinearLikelihood(const Eigen::MatrixXd& x, const Eigen::Ref<const Eigen::MatrixXd>& beta,
                         const Tile& tile, Eigen::VectorXd* log_density, Eigen::MatrixXd* score) {
  constexpr Eigen::Index kRows = 512;
  constexpr Eigen::Index kPoints = 128;
  Eigen::MatrixXd scratch(std::min(kRows, x.rows()), std::min(kPoints, beta.cols()));
  for (Eigen::Index point = 0; point < beta.cols(); point += kPoints) {
    const Eigen::Index points = std::min(kPoints, beta.cols() - point);
    for (Eigen::Index row = 0; row < x.rows(); row += kRows) {
      const Eigen::Index rows = std::min(kRows, x.rows() - row);
      Eigen::Ref<Eigen::MatrixXd> eta = scratch.topLeftCorner(rows, points);
      eta.noalias() = x.middleRows(row, rows) * beta.middleCols(point, points);
      tile(row, eta, log_density->segment(point, points), score != nullptr);
      if (score == nullptr) continue;
      score->middleCols(point, points).noalias() += x.middleRows(row, rows).transpose() * eta;
    }
  }
}

}  // namespace aisivi
