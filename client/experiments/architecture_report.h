// The table and the text of the experiment `architecture`.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "client/experiments/fit_result.h"
#include "client/experiments/settings.h"

namespace aisivi::experiments {

// Coupling layers: those of the published runs are 4, 6, 16 and 32.
inline constexpr int64_t kCouplings[] = {6, 16, 32};

// At the end of training: the effective share of the inner samples, and the loss of the flow.
inline constexpr char kProposalEss[] = "proposal_ess";
inline constexpr char kFlowLoss[] = "flow_loss";

// All seeds of one number of couplings on one target.
struct Architecture {
  std::string target;
  int64_t couplings = 0;
  std::vector<FitResult> fits;  // seed by seed, failed ones too
};

// Of results in which every seed has one fit per entry of kCouplings, in that order.
std::vector<Architecture> GroupArchitectures(const std::vector<FitResult>& results);

// What `other` gives and costs beside `first`, seed by seed, in words.
std::string CompareArchitectures(const Architecture& first, const Architecture& other);

// report.md and architecture.csv.
absl::Status WriteArchitectureReport(const Settings& settings,
                                     const std::vector<Architecture>& architectures);

}  // namespace aisivi::experiments
