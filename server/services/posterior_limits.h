// How much one request about a posterior may ask for.
#pragma once

#include <cstdint>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "aisivi/v1/fit.pb.h"

namespace aisivi::server {

// Numbers of one array: 256 MB of doubles.
inline constexpr int64_t kMaxNumbers = int64_t{1} << 25;
inline constexpr int64_t kMaxDraws = 10'000'000;
inline constexpr int64_t kMaxPoints = 1'000'000;
inline constexpr int64_t kMaxInnerSamples = 1'000'000;

// INVALID_ARGUMENT at `field` unless min ≤ value ≤ max.
absl::Status CheckRange(absl::string_view field, int64_t value, int64_t min, int64_t max);

// INVALID_ARGUMENT at `field` when `count` points of `dim` coordinates have more than kMaxNumbers.
absl::Status CheckNumbers(absl::string_view field, int64_t count, int dim);

// INVALID_ARGUMENT at `field` and inner_samples when `points` of `dim` coordinates with
// `inner_samples` (K) each are more than a day's work.
absl::Status CheckDensityWork(absl::string_view field, int64_t points, int64_t inner_samples,
                              int dim);

// INVALID_ARGUMENT at points or inner_samples: points of another dimension, none, or too many.
absl::Status CheckPoints(const v1::Matrix& points, int64_t inner_samples, const v1::Fit& fit);

// K: what the request says, or the fit's own.
int64_t InnerSamples(int64_t requested, const v1::Fit& fit);

// Draws of a summary: what the request says, or a default. INVALID_ARGUMENT at count where they are
// too few or too many.
int64_t SummarizedDraws(int64_t requested, int dim);
absl::Status CheckSummarizedDraws(int64_t requested, int dim);

}  // namespace aisivi::server
