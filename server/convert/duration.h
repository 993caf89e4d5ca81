// Times of the API, and the engine's seconds.
#pragma once

#include "absl/status/statusor.h"
#include "google/protobuf/duration.pb.h"

namespace aisivi::server {

// INVALID_ARGUMENT, without a field, for a duration that is not well formed: nanos beyond a second,
// or of another sign than seconds.
absl::StatusOr<double> ToSeconds(const google::protobuf::Duration& duration);

// To the nearest nanosecond. seconds: finite, below 1e11 in size.
google::protobuf::Duration ToDuration(double seconds);

}  // namespace aisivi::server
