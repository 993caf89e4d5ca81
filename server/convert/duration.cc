#include "server/convert/duration.h"

#include <cmath>
#include <cstdlib>

#include "absl/status/status.h"

namespace aisivi::server {
namespace {

constexpr double kNanos = 1e9;  // of a second

}  // namespace

absl::StatusOr<double> ToSeconds(const google::protobuf::Duration& duration) {
  const int64_t seconds = duration.seconds();
  const int32_t nanos = duration.nanos();
  if (nanos <= -1'000'000'000 || nanos >= 1'000'000'000 || (seconds > 0 && nanos < 0) ||
      (seconds < 0 && nanos > 0)) {
    return absl::InvalidArgumentError("is not a well formed duration");
  }
  return static_cast<double>(seconds) + nanos / kNanos;
}

google::protobuf::Duration ToDuration(double seconds) {
  google::protobuf::Duration duration;
  double whole = std::trunc(seconds);
  double nanos = std::round((seconds - whole) * kNanos);
  if (std::abs(nanos) >= kNanos) {
    whole += std::copysign(1.0, seconds);
    nanos = 0;
  }
  duration.set_seconds(static_cast<int64_t>(whole));
  duration.set_nanos(static_cast<int32_t>(nanos));
  return duration;
}

}  // namespace aisivi::server
