// The table and the text of the experiment `peers`.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "client/experiments/fit_result.h"
#include "client/experiments/nuts.h"
#include "client/experiments/settings.h"

namespace aisivi::experiments {

struct Peers {
  std::string data;  // of the regression
  std::vector<std::string> targets;
  std::vector<FitResult> results;     // of both ways, in any order
  std::vector<std::string> missing;   // Debian's packages that are not installed
  std::vector<std::string> failures;  // of NUTS, in R's words
  NutsPlan nuts;
};

// The results that succeeded of a target, by "aisivi" or kNuts.
std::vector<FitResult> ResultsOf(const Peers& peers, const std::string& target,
                                 const std::string& method);

// Seconds, gradients and log Z of the two ways beside one another, in words.
std::string ComparePeers(const Peers& peers, const std::string& target);

// report.md and peers.csv.
absl::Status WritePeersReport(const Settings& settings, const Peers& peers);

}  // namespace aisivi::experiments
