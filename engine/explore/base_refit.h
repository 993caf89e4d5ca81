// The base of the annealing, fitted to draws of the target.
//
// A fit that minimises KL(q‖p) is too narrow where the target is skewed, curved or heavy-tailed,
// and a base that is too narrow makes log Z too low with a standard error that does not know. A few
// steps of expectation maximisation of Σ_n log b(z_n) over draws z_n of the target, with r and g as
// in base.h and n₀ pseudo-draws that have the mean and covariance of the component m, A Aᵀ:
//   m' = (Σ_n r_n g_n z_n + n₀ m) / (Σ_n r_n g_n + n₀)
//   A'A'ᵀ = (Σ_n r_n g_n (z_n − m')(z_n − m')ᵀ + n₀ (A Aᵀ + (m − m')(m − m')ᵀ)) / (Σ_n r_n + n₀)
// n₀ is that which gives the largest mean log b over draws held out, from 0.3 D to ∞, at which the
// base stays as it is: in many dimensions few draws do not make a covariance. (Candidates are tried
// in falling order for as long as they improve.)
//
// Then every component is cut in two, across the direction of its draws' third moment E[y ‖y‖²] or
// the largest of the fourth E[y yᵀ ‖y‖²], and fitted again, for as long as that raises the held-out
// mean by 0.05 nats: a funnel or a banana needs several scales, and moves a metric for each. The
// share of the heavy tail stays that of the start.
// Source: maximum likelihood for Student-t mixtures, Peel & McLachlan, Statistics and Computing
// 2000; n₀ as a conjugate prior.
#pragma once

#include <Eigen/Core>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/explore/base.h"
#include "engine/warmstart/evaluate.h"

namespace aisivi {

struct BaseRefit {
  AnnealingBase base;
  double gain = 0;  // of the mean log b over draws held out, nats
  // E max(0, log b' − log b − 1) over all draws, b' the new base: what of the gain is where the old
  // base lacked most of the density. Pieces that only fit more snugly do not count.
  double deficit = 0;
};

// draws: of each island, D×n. Even and odd islands are held out in turn; then all are used. The
// target is not evaluated; CANCELLED is the only error.
absl::StatusOr<BaseRefit> RefitBase(Evaluator& evaluator, const AnnealingBase& base,
                                    const std::vector<Eigen::MatrixXd>& draws);

}  // namespace aisivi
