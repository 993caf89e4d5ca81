// Vectors whose sum is zero, by an orthonormal map, so that independent standard normal y give x
// the standard normal of that plane.
//
//   w_n = y_n / √(n (n + 1)),   x_k = Σ_{n≥k} w_n − (k − 1) w_{k−1},   k = 1 … K;   log|J| = 0
//   y_n = (Σ_{k≤n} x_k − n x_{n+1}) / √(n (n + 1)),   n = 1 … K − 1
//
// J is taken in an orthonormal basis of the plane.
// Source: Stan reference manual 2.36, "Zero sum vector".
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "engine/transforms/parameter.h"
#include "engine/transforms/transform.h"

namespace aisivi {

// `block`: K.
std::unique_ptr<const Transform> MakeSumToZero(const Constraint&,
                                               const std::vector<int64_t>& block);

}  // namespace aisivi
