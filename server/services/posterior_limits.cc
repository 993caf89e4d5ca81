#include "server/services/posterior_limits.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "engine/fit/options.h"
#include "server/jobs/fit_work.h"
#include "server/status.h"

namespace aisivi::server {
namespace {

constexpr int64_t kMaxSummaryDraws = 1'000'000;
constexpr int64_t kDefaultSummarized = 20'000;

}  // namespace

absl::Status CheckRange(absl::string_view field, int64_t value, int64_t min, int64_t max) {
  if (value >= min && value <= max) return absl::OkStatus();
  return FieldError(field, absl::StrCat(value, " is not in [", min, ", ", max, "]"));
}

absl::Status CheckNumbers(absl::string_view field, int64_t count, int dim) {
  if (count * dim <= kMaxNumbers) return absl::OkStatus();
  return FieldError(
      field, absl::StrCat(count, " draws of ", dim, " coordinates are too many at once: at most ",
                          kMaxNumbers / dim));
}

absl::Status CheckDensityWork(absl::string_view field, int64_t points, int64_t inner_samples,
                              int dim) {
  const double samples = static_cast<double>(points) * static_cast<double>(inner_samples);
  const double most = kMaxDensityWork / NumbersPerSample(dim);
  if (samples <= most) return absl::OkStatus();
  return FieldsError({std::string(field), "inner_samples"},
                     absl::StrFormat("%d points with %d inner samples each, of %d coordinates, are "
                                     "more than a day of work: at most %.0f inner samples in all",
                                     points, inner_samples, dim, most));
}

absl::Status CheckPoints(const v1::Matrix& points, int64_t inner_samples, const v1::Fit& fit) {
  if (points.rows() >= 1 && points.columns() != fit.dimension()) {
    return FieldError("points", absl::StrCat("has ", points.columns(), " columns; the fit has ",
                                             fit.dimension(), " coordinates"));
  }
  const int64_t samples = InnerSamples(inner_samples, fit);
  for (absl::Status status : {CheckRange("points", points.rows(), 1, kMaxPoints),
                              CheckRange("inner_samples", inner_samples, 0, kMaxInnerSamples)}) {
    if (!status.ok()) return status;
  }
  return CheckDensityWork("points", points.rows(), samples, fit.dimension());
}

int64_t InnerSamples(int64_t requested, const v1::Fit& fit) {
  if (requested != 0) return requested;
  const int64_t own = fit.effective_settings().evidence_settings().evidence_inner_samples();
  // A fit of an earlier version does not tell.
  return own != 0 ? own : FitOptions().evidence_inner_samples;
}

int64_t SummarizedDraws(int64_t requested, int dim) {
  return requested != 0 ? requested : std::min(kDefaultSummarized, kMaxNumbers / dim);
}

absl::Status CheckSummarizedDraws(int64_t requested, int dim) {
  const int64_t count = SummarizedDraws(requested, dim);
  const absl::Status status = CheckRange("count", count, 2, kMaxSummaryDraws);
  return status.ok() ? CheckNumbers("count", count, dim) : status;
}

}  // namespace aisivi::server
