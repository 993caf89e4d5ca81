// The picture of the experiment `architecture`.
#pragma once

#include <filesystem>
#include <vector>

#include "absl/status/status.h"
#include "client/experiments/architecture_report.h"

namespace aisivi::experiments {

// architecture.png and .svg: a row per target; gap, effective inner samples and seconds against the
// couplings, and gap against seconds; a curve per seed.
absl::Status DrawArchitecture(const std::vector<Architecture>& architectures,
                              const std::filesystem::path& folder);

}  // namespace aisivi::experiments
