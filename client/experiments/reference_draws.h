// Draws of a posterior by other means, from a file of the user, to measure fits against.
#pragma once

#include <Eigen/Core>
#include <optional>
#include <string>

#include "absl/status/statusor.h"

namespace aisivi::experiments {

// Reads --reference, one draw per line: D×M. Nothing where no file is given; INVALID_ARGUMENT
// naming
// --reference when it cannot be read, or has not `dimension` columns.
absl::StatusOr<std::optional<Eigen::MatrixXd>> ReadReference(const std::string& file,
                                                             int64_t dimension);

}  // namespace aisivi::experiments
