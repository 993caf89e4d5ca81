// The picture of the experiment `diffusion`.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "client/experiments/path_bands.h"

namespace aisivi::experiments {

struct BandPanel {
  std::string title;
  PathBands bands;
};

// diffusion.png and .svg: the bands of every fit, those of the reference draws over them.
absl::Status DrawDiffusion(const std::vector<BandPanel>& panels,
                           const std::optional<PathBands>& reference,
                           const std::filesystem::path& folder);

}  // namespace aisivi::experiments
