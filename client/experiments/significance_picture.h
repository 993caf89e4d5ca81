// The picture of the experiment `significance`.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "client/experiments/significance_report.h"

namespace aisivi::experiments {

// significance.png and .svg: per quantity both methods seed by seed, and the differences with the
// 95 % intervals of their mean (t) and median (signed rank).
absl::Status DrawSignificance(const std::vector<std::string>& methods,
                              const std::vector<PairedQuantity>& quantities,
                              const std::filesystem::path& folder);

}  // namespace aisivi::experiments
