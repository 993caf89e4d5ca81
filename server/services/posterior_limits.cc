#include "server/services/posterior_limits.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "server/jobs/fit_work.h"
#include "server/status.h"

namespace aisivi::server {

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

int64_t InnerSamples(int64_t requested, const v1::Fit& fit) {
  return requested != 0 ? requested : fit.effective_hyperparameters().evidence_inner_samples();
}

}  // namespace aisivi::server
