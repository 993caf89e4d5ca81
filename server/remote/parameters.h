// Named parameters of the API, as the engine's, and back.
#pragma once

#include <google/protobuf/repeated_ptr_field.h>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "aisivi/v1/parameter.pb.h"
#include "engine/transforms/parameter_map.h"

namespace aisivi::server {

using ParameterMessages = google::protobuf::RepeatedPtrField<v1::Parameter>;

// D at most, since a fit holds matrices of D×D.
inline constexpr int64_t kMostCoordinates = 4096;

// INVALID_ARGUMENT at "FIELD[i].…", or at `field`, where they cannot be the parameters of a
// density.
absl::StatusOr<ParameterMap> ToParameterMap(const ParameterMessages& parameters,
                                            absl::string_view field);

ParameterMessages ToMessages(const ParameterMap& map);

// Whether they are the same, up to fields that their constraint does not read.
bool SameParameters(const ParameterMap& a, const ParameterMap& b);

}  // namespace aisivi::server
