// The path from the base to the target, and how far one step along it may go.
//
//   π_β ∝ b^{1−β} p̃^β = b exp(β δ),   δ = log p̃ − log b,   0 ≤ β ≤ 1
//
// A step from β to β' weighs particles by w = exp((β' − β) δ), of effective sample size
// (Σ w)²/Σ w². Islands without any weight do not count.
// Source: Del Moral, Doucet & Jasra, JRSS B 2006; the choice of β' as in Jasra, Stephens, Doucet &
// Tsagaris, Scandinavian Journal of Statistics 2011.
#pragma once

#include <Eigen/Core>

namespace aisivi {

// Mean over the islands of the effective sample size of exp(Δβ δ). log_ratio: δ, N×I.
double MeanEss(const Eigen::MatrixXd& log_ratio, double beta_increment);

// log (1/N) Σ_n exp(Δβ δ_n) of every island, I; −∞ where there is no weight.
Eigen::VectorXd LogMeanWeights(const Eigen::MatrixXd& log_ratio, double beta_increment);

// The largest β' ≤ 1 whose mean ESS is at least `ess_share` of the particles that have any weight.
double NextBeta(const Eigen::MatrixXd& log_ratio, double beta, double ess_share);

}  // namespace aisivi
