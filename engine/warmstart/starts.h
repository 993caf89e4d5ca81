// Points to start from: draws at several scales, those kept at which the target can be evaluated.
#pragma once

#include <Eigen/Core>
#include <cstdint>

#include "absl/status/statusor.h"
#include "engine/warmstart/evaluate.h"

namespace aisivi {

// Up to `count` points (D×S, 1 ≤ S ≤ count), draws of N(0, s² I) with s from 0.1 to 10. When none
// of them can be evaluated, the best of a search over s from 1e-4 to 1e4. FAILED_PRECONDITION
// naming the log density when that finds nothing either; else the target's own error, or CANCELLED.
absl::StatusOr<Eigen::MatrixXd> FindStarts(Evaluator& evaluator, uint64_t seed, int64_t count);

}  // namespace aisivi
