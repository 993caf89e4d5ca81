// log Z and its standard error from the estimates of independent islands.
//
//   log Ẑ = log (1/I) Σ_i Ẑ_i                      Ẑ_i unbiased, so Ẑ is
//   se(Ẑ) = (t/1.96) sd(Ẑ_i) / (√I Ẑ)             t: 97.5 % point of Student's t, I − 1 degrees
//   standard error = √( max(se_sequential, se_multistate)² + (log Ẑ_sequential − log Ẑ_multistate)²
//   )
//
// The spread of the islands cannot show an error that all of them share, such as a tail that none
// has met; that the two estimates, which weigh tails differently, disagree can.
// Source: EXPLORER.md, step 4.
#pragma once

#include <Eigen/Core>

namespace aisivi {

struct IslandEvidence {
  double log_z = 0;             // of the sequential estimates
  double log_z_multistate = 0;  // of the others
  double standard_error = 0;    // of log_z; +∞ where no island has an estimate
};

// Each: I ≥ 2 natural logs; −∞ is an island that met nothing.
IslandEvidence CombineIslands(const Eigen::VectorXd& sequential, const Eigen::VectorXd& multistate);

}  // namespace aisivi
