// Names of densities: "densities/" and 128 random bits as 32 hexadecimal digits.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace aisivi::server {

// A new one, of bits that the kernel drew: who was not told it cannot guess it.
std::string NewDensityName();

// INVALID_ARGUMENT at `field` where `name` does not have that form.
absl::Status CheckDensityName(absl::string_view field, absl::string_view name);

// NOT_FOUND for the request's `field`, reason DENSITY_NOT_FOUND, with ResourceInfo.
absl::Status DensityNotFound(absl::string_view field, absl::string_view name);

}  // namespace aisivi::server
