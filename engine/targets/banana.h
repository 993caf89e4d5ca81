// Banana: a bent Gaussian in two dimensions.
//
//   (z₁, z₁² + z₂ + 1) ~ N(0, [[1, 0.9], [0.9, 1]])
//
// The map has unit Jacobian, so the density is normalised: log Z = 0.
// Source: Yin & Zhou, Semi-Implicit Variational Inference, ICML 2018 (arXiv 1805.11183).
#pragma once

#include "engine/targets/builtin.h"

namespace aisivi {

struct BananaPoint {
  double log_density;
  Eigen::Vector2d score;
};
// log p and ∇ log p at (z₁, z₂).
BananaPoint BananaAt(double z1, double z2);

BuiltinSpec BananaSpec();

}  // namespace aisivi
