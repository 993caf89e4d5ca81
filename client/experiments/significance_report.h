// The tests, the table and the verdict in words of the experiment `significance`.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "client/experiments/fit_result.h"
#include "client/experiments/settings.h"
#include "client/experiments/statistics.h"

namespace aisivi::experiments {

// One quantity of two methods, seed by seed; seeds where either has none are left out.
struct PairedQuantity {
  std::string name;  // "gap"
  std::vector<double> first, second;
  std::vector<uint64_t> seeds;
  int left_out = 0;
  PairedT t;  // of first − second
  SignedRank rank;
};

// Log evidence and gap. Results: seed by seed, the first method, then the second.
std::vector<PairedQuantity> PairResults(const std::vector<FitResult>& results);

// What the tests say at the 5 % level, in one or two sentences.
std::string VerdictInWords(const PairedQuantity& quantity, const std::string& first,
                           const std::string& second);

// report.md, significance.csv (the tests) and pairs.csv (seed by seed).
absl::Status WriteSignificanceReport(const Settings& settings,
                                     const std::vector<std::string>& methods,
                                     const std::vector<FitResult>& results,
                                     const std::vector<PairedQuantity>& quantities);

}  // namespace aisivi::experiments
