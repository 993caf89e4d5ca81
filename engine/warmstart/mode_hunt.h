// The distinct modes of a target: many L-BFGS descents from starts spread over the region where
// the target has its mass, and the Laplace approximation at each place where they end.
//
// The region is learned: shells of doubling radius until log p̃ has fallen far below the best
// value seen. Later rounds start around the modes found so far, until a round finds nothing new.
#pragma once

#include <Eigen/Core>
#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/warmstart/evaluate.h"

namespace aisivi {

struct LocalMode {
  double log_density;
  AffineGaussian laplace;  // mean: the mode
  double log_mass;         // log p̃(mode) + (D/2) log 2π + Σ log A_ii
};

// Maxima only (no saddles), heaviest first, those below 1e-6 of the heaviest left out; at most 64
// up to 5 dimensions, 24 up to 25, 12 above.
// Two ends are one mode when they lie within half a standard deviation of each other. May be empty.
// Error: the target's own, or CANCELLED.
absl::StatusOr<std::vector<LocalMode>> HuntModes(Evaluator& evaluator, uint64_t seed);

}  // namespace aisivi
