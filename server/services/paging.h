// Page sizes and page tokens of the List methods (https://google.aip.dev/158).
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace aisivi::server {

// 0 becomes `default_size`, more than 1000 becomes 1000. INVALID_ARGUMENT at `page_size` when
// negative.
absl::StatusOr<int> PageSize(int requested, int default_size);

// A token that continues after `position`, good only for the same `query`.
std::string PageToken(int64_t position, absl::string_view query);
// The position in a token; 0 for the empty token. INVALID_ARGUMENT at `page_token` for any other
// text, and for a token of another query.
absl::StatusOr<int64_t> PagePosition(absl::string_view token, absl::string_view query);

}  // namespace aisivi::server
