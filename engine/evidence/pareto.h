// Pareto smoothed importance sampling: the tail index k̂ of a set of importance weights.
//
// A generalised Pareto distribution is fitted to the largest weights; k̂ > 0.7 means that the
// weighted estimate must not be trusted. Vehtari, Simpson, Gelman, Yao, Gabry, JMLR 2024
// (arXiv 1507.02646); the fit is Zhang & Stephens, Technometrics 2009.
#pragma once

#include <Eigen/Core>

namespace aisivi {

struct ParetoSmoothing {
  // k̂; NaN with fewer than 5 tail weights; -inf when all of them are equal; +inf when they span
  // more than a double can hold.
  double k;
  Eigen::VectorXd log_weights;  // smoothed: the tail is replaced by expected order statistics
};

// log_weights: any length, entries may be -inf (weight zero), none NaN or +inf.
// Tail length min(N/5, 3√N).
ParetoSmoothing SmoothWeights(const Eigen::VectorXd& log_weights);

// What a generalised Pareto tail of shape k still holds beyond the largest of M weights, in units
// of that weight / M. Weights e^(kn) times the largest come once in e^n M draws and add e^((k−1)n)
// dn; followed down to e^-10 of what M draws reach, that is
//   (e^(10 (k−1)) − 1)/(k − 1)
// The depth of 10 is calibrated (tests/engine/evidence/tail_rule_test.cc): of sets of weights with
// k̂ > 0.7 that pass by it 3 % have log Ẑ wrong by more than 0.05 and 0.3 % by more than 0.1; at a
// depth of 6 these are 6 % and 1 %, at 4 they are 12 % and 4 %, and beyond 10 hardly less.
double TailBeyond(double k);

}  // namespace aisivi
