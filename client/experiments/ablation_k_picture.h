// The picture of the experiment `ablation-k`.
#pragma once

#include <filesystem>
#include <vector>

#include "absl/status/status.h"
#include "client/experiments/score_study.h"

namespace aisivi::experiments {

// ablation_k.png and .svg: variance with the line 1/k, squared bias, effective samples, seconds and
// memory against k, and error against seconds; a curve per source.
absl::Status DrawAblationK(const std::vector<ScoreRow>& rows, const std::filesystem::path& folder);

}  // namespace aisivi::experiments
