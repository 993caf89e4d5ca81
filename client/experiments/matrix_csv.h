// Matrices as CSV: one line per row.
#pragma once

#include <Eigen/Core>
#include <filesystem>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace aisivi::experiments {

// RESOURCE_EXHAUSTED naming --out when the file cannot be written.
absl::Status WriteMatrix(const std::filesystem::path& file, const Eigen::MatrixXd& matrix);

// DATA_LOSS naming the file when it is not a matrix of at least that many rows, of that many
// columns.
absl::StatusOr<Eigen::MatrixXd> ReadMatrix(const std::filesystem::path& file, Eigen::Index rows,
                                           Eigen::Index columns);

}  // namespace aisivi::experiments
