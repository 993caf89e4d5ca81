// The evidence lower bound from the log-weights ℓ_j = log p̃(z_j) − log q(z_j) of M draws of q.
//
// A draw is bad when its ℓ is not finite: p̃ is zero there, or it is not a number. Left out of the
// mean it would make leaving the support look like a gain (p uniform on (0, 1), q on (0, 2): +log 2
// for log Z = 0). What the good ones bound is the evidence of the part that they cover, by q
// restricted to it; with s the share of good draws that is
//   ELBO = mean of the good ℓ_j + log s,
// a lower bound of log Z again. A draw where p̃ is not a number counts like one where it is zero:
// that can only lower the bound.
//
// Standard error by the delta method: draw j moves the ELBO by ψ_j/M,
//   ψ_j = (good_j (ℓ_j − mean) + good_j − s) / s,   which gives (var ℓ + 1 − s)/(s M).
//
// Draws of a group that share inner samples share the error of their q̂ as well. Their standard
// error comes from the sums of whole groups, with S_b = Σ_{j in b} (v_j − mean) and B groups
//   se² = B/(B − 1) Σ_b S_b² / M²,
// times the ratio of Student's 97.5 % point to the normal one, so that ±1.96 se covers 95 %
// whatever B; and it is never below that of independent draws.
#pragma once

#include <Eigen/Core>
#include <cstdint>

namespace aisivi {

// Draw number `first` + j belongs to group (first + j) / size. 1: all are independent.
struct DrawGroups {
  int64_t size = 1;
  int64_t first = 0;
};

// Standard error of the mean of `values` (M, finite). NaN with one value, or one group of several.
double StandardError(const Eigen::VectorXd& values, const DrawGroups& groups = {});
// The part that comes from the sums of whole groups, without Student's factor; NaN with one group.
double BetweenGroups(const Eigen::VectorXd& values, const DrawGroups& groups);

struct ElboEstimate {
  double value;           // nats; −inf when no draw is good
  double standard_error;  // NaN with fewer than 2 good draws
};
ElboEstimate ElboFromLogWeights(const Eigen::VectorXd& log_weights, const DrawGroups& groups = {});

}  // namespace aisivi
