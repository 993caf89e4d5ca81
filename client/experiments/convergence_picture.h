// The pictures of the experiment `convergence`.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "client/experiments/convergence_report.h"

namespace aisivi::experiments {

// convergence_TARGET.png and .svg: a column for the presets, one for the defaults (where there are
// fits of them), a row per metric, a curve per method; fits of seed 1.
absl::Status DrawConvergence(const std::string& target, const std::vector<TrainedFit>& fits,
                             const std::filesystem::path& folder);

}  // namespace aisivi::experiments
