// Names of columns: what may be one.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace aisivi {

// Bytes of a name.
inline constexpr size_t kMaxColumnName = 128;

// Whether `text` is well-formed UTF-8 (RFC 3629).
bool IsUtf8(absl::string_view text);

// The name of a column as a header has it: every run of blanks and line breaks becomes one blank,
// those at the ends are left out. INVALID_ARGUMENT, saying what is wrong, when nothing is left, it
// is longer than kMaxColumnName, no UTF-8, or has control characters, which a terminal may take for
// commands.
absl::StatusOr<std::string> CleanColumnName(absl::string_view text);

}  // namespace aisivi
