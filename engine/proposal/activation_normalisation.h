// Activation normalisation of a flow: u ← e^a ⊙ u + g, one a and g for each row of u, log |det| =
// Σ a (Kingma & Dhariwal, NeurIPS 2018).
#pragma once

#include <cstdint>

#include "engine/nn/tile.h"

namespace aisivi {

// Parameters, in the caller's vector from parameter_offset on: a (rows), then g (rows).
class ActivationNormalisation {
 public:
  ActivationNormalisation(int64_t rows, int64_t parameter_offset)
      : rows_(rows), log_scale_(parameter_offset), shift_(parameter_offset + rows) {}

  int64_t parameter_count() const { return 2 * rows_; }

  // u (rows×n) is overwritten; adds log |det| to log_det (n).
  void Forward(const float* parameters, TileMap u, double* log_det) const;
  // normed ← (u − g) e^{−a}; adds log |det| of the forward map.
  void Inverse(const float* parameters, const ConstTileMap& u, TileMap normed,
               double* log_det) const;
  // Of Inverse: on entry grad_u is d loss / d normed, on return d loss / d u. The loss holds
  // det_weight · Σ_columns log |det| of the forward map. Adds the parameter gradient.
  void Backward(const float* parameters, const ConstTileMap& normed, float det_weight,
                TileMap grad_u, float* gradient) const;

  // Sets a and g so that Inverse leaves this batch with mean 0 and sd 1; rows without a spread keep
  // theirs.
  void Initialize(const ConstTileMap& u, float* parameters) const;
  // a = 0 and g = 0 but for rows [first, first + count), whose a is log_scale.
  void Set(int64_t first, int64_t count, float log_scale, float* parameters) const;

 private:
  int64_t rows_, log_scale_, shift_;
};

}  // namespace aisivi
