// Pointwise 95 % bands of draws of a path, and their files.
#pragma once

#include <Eigen/Core>
#include <filesystem>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace aisivi::experiments {

// Quantiles of every coordinate; D entries each.
struct PathBands {
  Eigen::VectorXd low, median, high;  // 2.5 %, 50 %, 97.5 %
};

// Of draws D×N, N ≥ 1.
PathBands BandsOf(const Eigen::MatrixXd& draws);

// As CSV: step, low, median, high. DATA_LOSS naming the file when it is not one.
absl::Status WriteBands(const std::filesystem::path& file, const PathBands& bands);
absl::StatusOr<PathBands> ReadBands(const std::filesystem::path& file);

}  // namespace aisivi::experiments
