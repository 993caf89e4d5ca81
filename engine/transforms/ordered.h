// Increasing vectors.
//
//   ordered           x_1 = y_1,      x_k = x_{k−1} + e^{y_k};   log|J| = Σ_{k≥2} y_k
//   positive_ordered  x_1 = e^{y_1},  x_k = x_{k−1} + e^{y_k};   log|J| = Σ_k y_k
//
// Source: Stan reference manual, "Ordered vector", "Positive ordered vector".
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "engine/transforms/parameter.h"
#include "engine/transforms/transform.h"

namespace aisivi {

// `block`: K.
std::unique_ptr<const Transform> MakeOrdered(const Constraint&, const std::vector<int64_t>& block);
std::unique_ptr<const Transform> MakePositiveOrdered(const Constraint&,
                                                     const std::vector<int64_t>& block);

}  // namespace aisivi
