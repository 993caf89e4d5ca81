// The targets of the experiment `dimension`, in any number of dimensions.
#pragma once

#include <string>
#include <vector>

#include "aisivi/v1/target.pb.h"

namespace aisivi::experiments {

// "gaussian" and "conditioned_diffusion".
const std::vector<std::string>& DimensionTargets();

// gaussian: mean 0, covariance ½^|i − j|. conditioned_diffusion: `dimension` Euler steps up to time
// 1, observed in the middle and at the end with the published values, so that the problem stays the
// same as the steps become finer. Dimension: even, at least 2.
v1::TargetSpec DimensionTarget(const std::string& name, int dimension);

}  // namespace aisivi::experiments
