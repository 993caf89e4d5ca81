// Resource names of data sets: "datasets/{id}".
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace aisivi::server {

// The id of the data set with that SHA-256 (64 hexadecimal digits): its first half.
std::string DatasetId(absl::string_view sha256);

std::string DatasetName(absl::string_view id);

// Whether `id` is 32 hexadecimal digits in lower case.
bool IsDatasetId(absl::string_view id);

// The id in `name`. INVALID_ARGUMENT at `field` when it is not "datasets/{id}".
absl::StatusOr<std::string> ParseDatasetName(absl::string_view name, absl::string_view field);

}  // namespace aisivi::server
