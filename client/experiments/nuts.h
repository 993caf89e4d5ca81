// NUTS and bridge sampling by R's packages rstan and bridgesampling, where they are installed.
#pragma once

#include <cstdint>
#include <filesystem>
#include <stop_token>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/experiments/fit_result.h"
#include "client/experiments/peer_target.h"

namespace aisivi::experiments {

// The method of such results.
inline constexpr char kNuts[] = "nuts_bridge";
// Measures of them; the first is one of ours too.
inline constexpr char kGradients[] = "gradients";      // evaluations of the log density's gradient
inline constexpr char kRHat[] = "r_hat";               // the largest of any coordinate
inline constexpr char kDivergences[] = "divergences";  // transitions after the warm-up
inline constexpr char kCompileSeconds[] = "compile_seconds";

// What is missing for RunNuts(), as Debian's packages are called: r-base-core, r-cran-rstan,
// r-cran-bridgesampling; none when all is there. CANCELLED after a request to stop.
absl::StatusOr<std::vector<std::string>> MissingPackages(const std::stop_token& stop);

struct NutsPlan {
  int64_t chains = 4, warmup = 1000, draws = 1000;  // draws: of each chain
};

// Four chains for each seed, after one compilation. INTERNAL with R's last words when it fails;
// CANCELLED after a request to stop. `folder` is for files of its own, which stay.
absl::StatusOr<std::vector<FitResult>> RunNuts(const PeerTarget& target, const NutsPlan& plan,
                                               const std::vector<uint64_t>& seeds,
                                               const std::filesystem::path& folder,
                                               const std::stop_token& stop);

}  // namespace aisivi::experiments
