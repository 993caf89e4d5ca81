// The picture of the experiment `dimension`.
#pragma once

#include <filesystem>
#include <vector>

#include "absl/status/status.h"
#include "client/experiments/dimension_report.h"

namespace aisivi::experiments {

// dimension.png and .svg: a row per target; k needed against D with the fitted lines, and the error
// against k in each dimension, from the proposal and from the prior.
absl::Status DrawDimension(const std::vector<DimensionRows>& rows,
                           const std::vector<NeedSeries>& needs,
                           const std::filesystem::path& folder);

}  // namespace aisivi::experiments
