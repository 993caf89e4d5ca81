// The unit simplex, by breaking a stick of length 1: version "stick-breaking", that of Stan before
// 2.37, where isometric log-ratios take its place.
//
//   s_k = σ(y_k − log(K − k)),   x_k = s_k r_k,   r_1 = 1,   r_{k+1} = r_k (1 − s_k),   x_K = r_K
//   log|J| = Σ_{k<K} log s_k + log(1 − s_k) + log r_k
//   ∂x_k/∂y_k = x_k (1 − s_k),   ∂x_j/∂y_k = −s_k x_j for j > k
//
// y = 0 is the centre, x_k = 1/K. K elements from K − 1 coordinates.
// Source: Stan reference manual 2.36, "Unit simplex".
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "engine/transforms/parameter.h"
#include "engine/transforms/transform.h"

namespace aisivi {

// `block`: K.
std::unique_ptr<const Transform> MakeSimplex(const Constraint&, const std::vector<int64_t>& block);

}  // namespace aisivi
