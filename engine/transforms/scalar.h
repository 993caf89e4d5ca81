// Transforms of each element by itself.
//
//   none      x = y                              log|J| = 0
//   lower     x = a + e^y                        y
//   upper     x = b − e^y                        y
//   interval  x = a + (b − a) σ(y)               log(b − a) + log σ(y) + log σ(−y)
//   affine    x = o + m y                        log m
//
// Source: Stan reference manual, "Constraint transforms": lower bounded scalar, upper bounded
// scalar, lower and upper bounded scalar, affinely transformed scalar.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "engine/transforms/parameter.h"
#include "engine/transforms/transform.h"

namespace aisivi {

// `block`: the number of elements, alone. The constraint has passed CheckBounds().
std::unique_ptr<const Transform> MakeUnconstrained(const Constraint&,
                                                   const std::vector<int64_t>& block);
std::unique_ptr<const Transform> MakeLower(const Constraint& constraint,
                                           const std::vector<int64_t>& block);
std::unique_ptr<const Transform> MakeUpper(const Constraint& constraint,
                                           const std::vector<int64_t>& block);
std::unique_ptr<const Transform> MakeInterval(const Constraint& constraint,
                                              const std::vector<int64_t>& block);
std::unique_ptr<const Transform> MakeAffine(const Constraint& constraint,
                                            const std::vector<int64_t>& block);

// INVALID_ARGUMENT "lower: …", "upper: …", "offset: …", "multiplier: …" where the numbers that the
// constraint's kind uses are not finite, not in order or not positive.
absl::Status CheckBounds(const Constraint& constraint);

}  // namespace aisivi
