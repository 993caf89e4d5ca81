// Running aggregation of importance weights and the scores they carry.
//
// Two batches with log-mean-weights ℓ₁, ℓ₂ over j₁, j₂ samples combine as
//   ℓ = logaddexp(ℓ₁ + log j₁, ℓ₂ + log j₂) − log(j₁ + j₂),
// and their scores as the average weighted by each batch's share of the total weight. Any chunking
// gives the answer of one big batch (DESIGN.md §1). All sums are double precision.
#pragma once

#include <cstdint>

#include "engine/nn/tile.h"

namespace aisivi {

// log (e^a + e^b); −inf of two −inf, NaN when either is: such a density is not to be passed over.
double LogAddExp(double a, double b);

// The sums of one point, kept relative to e^max so that nothing overflows.
struct WeightSums {
  double max;         // the largest log-weight so far; -inf before the first
  double sum;         // Σ e^{log v − max}
  double sum_square;  // Σ e^{2 (log v − max)}
  int64_t count;      // all samples; NaN weights count as zero
  double* score;      // D: Σ e^{log v − max} ∇_x log q(x|ε); null when not asked for
  int64_t dim;

  void Clear();
  // Adds n samples: log_weight (n) and, unless score is null, gradient(d, first + i) = the score of
  // sample i in coordinate d.
  void Add(const double* log_weight, int64_t n, const ConstTileMap& gradient, int64_t first,
           Scratch& scratch);
  void Merge(const WeightSums& other);
  // Makes `value` (finite) the max if it is larger, with the sums as they must then be.
  void RaiseMax(double value);

  double LogMeanWeight() const;  // log (Σ v / count)
  double EssFraction() const;    // (Σ v)² / Σ v² / count
};

}  // namespace aisivi
