// The picture of the experiment `peers`.
#pragma once

#include <filesystem>

#include "absl/status/status.h"
#include "client/experiments/peers_report.h"

namespace aisivi::experiments {

// peers.png and .svg: seconds, gradients and the standard error of log Z of every result, target by
// target.
absl::Status DrawPeers(const Peers& peers, const std::filesystem::path& folder);

}  // namespace aisivi::experiments
