// The paper's "log ML": how well the marginals of draws cover reference draws.
//
//   Σ_d Σ_j log f_d(x_dj),  f_d(x) = (1/N) Σ_n N(x; z_dn, h²),
//
// over all coordinates d and reference draws x_j. It sees marginals only. Source: arXiv 2506.03839,
// table 2, with h = 0.01 and N = 60,000.
#pragma once

#include <Eigen/Core>

namespace aisivi::experiments {

// draws: D×N, reference: D×M, finite; bandwidth h > 0. A reference draw far from all draws counts
// as log 1e-300: finite, and terrible.
double MarginalLogDensity(const Eigen::MatrixXd& draws, const Eigen::MatrixXd& reference,
                          double bandwidth);

}  // namespace aisivi::experiments
