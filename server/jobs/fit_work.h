// How much a fit may ask for: products of sizes, each of which is in range by itself.
//
// Work is counted in numbers: an inner sample of a target of D coordinates is D numbers and what
// networks of the smallest size cost beside them. Two cores take about 1.5e8 of these a second
// (default family, D = 22), so that bounds of work are bounds of time.
#pragma once

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "engine/fit/options.h"

namespace aisivi::server {

// D + 64: the smallest networks cost as much as 64 coordinates.
double NumbersPerSample(int dim);

// Of one estimate of densities or of the evidence, points × K inner samples: a day of two cores.
inline constexpr double kMaxDensityWork = 1.8e13;  // 2^44
// Of one step of training, which is the least that a cancellation waits for: two minutes of two
// cores, and sixteen times the largest published setting (bsivi_logistic, 1e9).
inline constexpr double kMaxStepWork = 1.7e10;  // 2^34
// Of a whole fit: a quarter of a year of two cores, a hundred times the largest published setting.
inline constexpr double kMaxFitWork = 1.1e15;  // 2^50
// A fit holds about ten D×D matrices of doubles at once (candidates for its start and their
// factors, the scale of its model, and that in its serialised form): 1.3 GB for this D.
inline constexpr int kMaxFitDimension = 4096;

// INVALID_ARGUMENT at `target_field` when the target has too many dimensions for a fit.
absl::Status CheckFitDimension(int dim, absl::string_view target_field);

// The same, or INVALID_ARGUMENT at the factors, by their paths under "fit", of every product that
// is too large; a fit is not blamed for what one of its steps has already. The options passed
// ValidateOptions().
absl::Status CheckFitWork(const FitOptions& options, int dim, absl::string_view target_field);

}  // namespace aisivi::server
