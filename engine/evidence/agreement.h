// Agreement between independent runs of one fit: the potential scale reduction R̂ of their draws.
//
// For one coordinate, with C runs of N draws each, run means m_c and run variances s²_c:
//   W = mean_c s²_c,   B/N = var_c m_c (over C − 1),   R̂ = √( ((N − 1)/N · W + B/N) / W )
// 1 when all runs agree; with iid draws R̂ ≈ √(1 + v), v the variance of the run means in posterior
// variances: 1.01 is a spread of the means of 0.14 standard deviations, 1.05 one of 0.32.
// The same is taken of |z − median|, which tells runs with equal means and unequal spreads apart.
//
// Gelman & Rubin, Statistical Science 1992; folding as in Vehtari, Gelman, Simpson, Carpenter,
// Bürkner, Bayesian Analysis 2021 (arXiv 1903.08008). Draws of a fit are independent, so there are
// no halves to compare, and none of that paper's splits; nor are ranks taken: a heavy tail makes R̂
// less sensitive, not larger.
#pragma once

#include <Eigen/Core>
#include <vector>

namespace aisivi {

// The largest R̂, plain or folded, of any coordinate. draws: one D×N matrix per run; where N differs
// the first draws of each are used, as many as the shortest has.
// NaN with fewer than two runs or two draws, when dimensions differ, or a draw is not finite.
// +inf when some coordinate is constant within every run but differs between them.
double RHat(const std::vector<Eigen::MatrixXd>& draws);

}  // namespace aisivi
