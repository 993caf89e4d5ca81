// log q(z) and its score for a mixture of full-rank Gaussians.
//
//   q(z) = Σ_k w_k N(z; b_k, A_k A_kᵀ);  ∇ log q = −Σ_k r_k A_k⁻ᵀ A_k⁻¹ (z − b_k),
//   r_k the share of component k in q(z).
#pragma once

#include <Eigen/Core>
#include <vector>

#include "engine/parallel/thread_pool.h"
#include "engine/warmstart/affine_gaussian.h"

namespace aisivi {

struct AffineMixture {
  Eigen::VectorXd log_weights;             // K, log w_k, normalised
  std::vector<AffineGaussian> components;  // K

  int64_t size() const { return log_weights.size(); }
  int64_t dim() const { return components.front().dim(); }
  // Divides the weights by their sum.
  void Normalise();
};

// At the columns of z (D×N): log_q (N) and, unless null, score (D×N).
void MixtureDensity(const AffineMixture& mixture, const Eigen::Ref<const Eigen::MatrixXd>& z,
                    ThreadPool& pool, Eigen::VectorXd* log_q, Eigen::MatrixXd* score);

// The Gaussian with the mean and covariance of the components listed in `members`, taken with
// their weights.
AffineGaussian MomentMatch(const AffineMixture& mixture, const std::vector<int64_t>& members);

// Bhattacharyya distance of two Gaussians: 0 for equal ones.
double BhattacharyyaDistance(const AffineGaussian& a, const AffineGaussian& b);

}  // namespace aisivi
