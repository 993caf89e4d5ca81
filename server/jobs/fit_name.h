// Resource names of fits: "fits/{id}".
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace aisivi::server {

std::string FitName(absl::string_view id);

// The id in `name`. INVALID_ARGUMENT at the request's `field` when it is not "fits/{id}" with an id
// out of [a-z0-9-]{1,63}.
absl::StatusOr<std::string> ParseFitName(absl::string_view field, absl::string_view name);

// 12 random characters; the first is a letter.
std::string NewFitId();

}  // namespace aisivi::server
