// The base of the annealing, fitted to draws of the target.
//
// A fit that minimises KL(q‖p) is too narrow where the target is skewed, curved or heavy-tailed,
// and a base that is too narrow makes log Z too low with a standard error that does not know. A few
// steps of expectation maximisation of Σ_n log b(z_n) over draws z_n of the target, with r and g as
// in base.h and n₀ pseudo-draws that have the mean and covariance of the component m, A Aᵀ:
//   m' = (Σ_n r_n g_n z_n + n₀ m) / (Σ_n r_n g_n + n₀)
//   A'A'ᵀ = (Σ_n r_n g_n (z_n − m')(z_n − m')ᵀ + n₀ (A Aᵀ + (m − m')(m − m')ᵀ)) / (Σ_n r_n + n₀)
// n₀ is that which gives the largest mean log b over draws held out, from 0.3 D to ∞, at which the
// base stays as it is: in many dimensions few draws do not make a covariance.
// Source: maximum likelihood for Student-t mixtures, Peel & McLachlan, Statistics and Computing
// 2000; n₀ as a conjugate prior.
#pragma once

#include <Eigen/Core>
#include <vector>

#include "engine/explore/base.h"
#include "engine/parallel/thread_pool.h"

namespace aisivi {

struct BaseRefit {
  AnnealingBase base;
  double gain = 0;  // of the mean log b over draws held out, nats
};

// draws: of each island, D×n. Even and odd islands are held out in turn; then all are used.
BaseRefit RefitBase(const AnnealingBase& base, const std::vector<Eigen::MatrixXd>& draws,
                    ThreadPool& pool);

}  // namespace aisivi
