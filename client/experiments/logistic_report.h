// The table and the text of the experiment `logistic`.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "client/experiments/fit_result.h"
#include "client/experiments/settings.h"

namespace aisivi::experiments {

// Σ log q̂ over the reference draws.
inline constexpr char kSumLogQ[] = "sum_log_q";

// Σ log p̃ over the reference draws, and how many they are.
struct ReferenceSum {
  double log_p;
  int64_t draws;
};

// What the exact posterior scores, Σ log p̃ − M log Z, with the log Z that has the smallest standard
// error. NaN when no fit has one.
double ExactSum(const ReferenceSum& sum, const std::vector<FitResult>& results);

// report.md and logistic.csv. Results: those of one way to fit follow one another. `sum` where
// there are reference draws.
absl::Status WriteLogisticReport(const Settings& settings, const std::vector<FitResult>& results,
                                 const std::optional<ReferenceSum>& sum);

}  // namespace aisivi::experiments
