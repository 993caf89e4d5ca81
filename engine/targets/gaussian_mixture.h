// Mixture of Gaussians with full covariances.
//
//   p(z) = Σ_c w_c N(z; m_c, Σ_c),   Σ_c w_c = 1,   log Z = 0
//   score = Σ_c r_c(z) ∇ log N(z; m_c, Σ_c),   r_c(z) the responsibilities
//
// Components are combined by log-sum-exp, so that points far from every component keep a finite
// log density and score.
#pragma once

#include <Eigen/Core>
#include <memory>
#include <vector>

#include "engine/targets/builtin.h"

namespace aisivi {

// weights: C positive numbers with sum 1. means: D×C. factors: C lower Cholesky factors, D×D.
std::unique_ptr<const Target> MakeGaussianMixture(const Eigen::VectorXd& weights,
                                                  const Eigen::MatrixXd& means,
                                                  std::vector<Eigen::MatrixXd> factors);

BuiltinSpec GaussianMixtureSpec();

}  // namespace aisivi
