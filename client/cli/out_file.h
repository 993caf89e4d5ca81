// Files that appear under their name only when they are complete.
#pragma once

#include <functional>
#include <ostream>
#include <string>

#include "absl/status/status.h"

namespace aisivi::cli {

// Lets `write` fill the file that --out names. On any error there is no new file, and one that was
// there is untouched. INVALID_ARGUMENT naming --out when it cannot be created, DATA_LOSS when it
// cannot be written, and the errors of `write`.
absl::Status WriteOutFile(const std::string& path,
                          const std::function<absl::Status(std::ostream& out)>& write);

}  // namespace aisivi::cli
