#include "server/services/paging.h"

#include <algorithm>

#include "absl/strings/numbers.h"
#include "absl/strings/str_format.h"
#include "server/status.h"
#include "server/store/durable_file.h"

namespace aisivi::server {
namespace {

constexpr int kMaxPageSize = 1000;
constexpr size_t kHexDigits = 16;

}  // namespace

absl::StatusOr<int> PageSize(int requested, int default_size) {
  if (requested < 0) return FieldError("page_size", "must not be negative");
  return std::min(requested == 0 ? default_size : requested, kMaxPageSize);
}

std::string PageToken(int64_t position, absl::string_view query) {
  return absl::StrFormat("%016x%016x", static_cast<uint64_t>(position), Fingerprint(query));
}

absl::StatusOr<int64_t> PagePosition(absl::string_view token, absl::string_view query) {
  if (token.empty()) return 0;
  uint64_t position = 0, fingerprint = 0;
  if (token.size() != 2 * kHexDigits ||
      !absl::SimpleHexAtoi(token.substr(0, kHexDigits), &position) ||
      !absl::SimpleHexAtoi(token.substr(kHexDigits), &fingerprint) || position == 0 ||
      position > static_cast<uint64_t>(INT64_MAX)) {
    return FieldError("page_token", "is not one that this server gave");
  }
  if (fingerprint != Fingerprint(query)) {
    return FieldError("page_token", "was given for another filter");
  }
  return static_cast<int64_t>(position);
}

}  // namespace aisivi::server
