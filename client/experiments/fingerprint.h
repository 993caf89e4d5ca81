// Short names for contents, the same on every machine (FNV-1a, which std::hash need not be).
#pragma once

#include <Eigen/Core>
#include <string>

#include "absl/strings/string_view.h"

namespace aisivi::experiments {

// Eight hexadecimal digits.
std::string Fingerprint(absl::string_view text);
std::string Fingerprint(const Eigen::MatrixXd& values);

}  // namespace aisivi::experiments
