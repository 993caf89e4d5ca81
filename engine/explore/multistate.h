// log Z from the particles of all temperatures at once.
//
// With S states β_0 = 0 … β_{S−1} = 1 of N particles each, all δ_n = log p̃ − log b pooled, the
// normalising constants Z_s of b exp(β_s δ) solve
//   Z_s = Σ_n exp(β_s δ_n) / Σ_j N exp(β_j δ_n)/Z_j,   Z_0 = 1
// Unlike the product of the ratios of the sequential estimate it also uses the particles of β = 1.
// Source: Shirts & Chodera, J. Chem. Phys. 2008 (MBAR); Kong, McCullagh, Meng, Nicolae & Tan, JRSS
// B 2003. Solved by their fixed-point iteration from the sequential estimates.
#pragma once

#include <Eigen/Core>
#include <functional>

namespace aisivi {

// log Z_{S−1}. log_ratio: δ, N×S, one column per state, −∞ for particles outside of the support of
// p̃; log_z: S, where to begin, all finite. beta: S, rising from 0 to 1. Ends with what it has when
// `stop`, which may be empty, says so; an iteration over a million particles takes a while.
double MultistateLogZ(const Eigen::MatrixXd& log_ratio, const Eigen::VectorXd& beta,
                      const Eigen::VectorXd& log_z, const std::function<bool()>& stop = {});

}  // namespace aisivi
