// Two-dimensional histograms of draws, and their files.
#pragma once

#include <Eigen/Core>
#include <filesystem>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/cli/density_grid.h"

namespace aisivi::experiments {

// The share of the draws (2×N) in each of bins × bins cells, divided by the cell's area: an
// estimate of the density at the cell's centre. Draws outside the axes count, but fall into no
// cell.
Eigen::MatrixXd Histogram2(const Eigen::MatrixXd& z, const cli::Axis& x, const cli::Axis& y,
                           int bins);

// The axis through the centres of the cells.
cli::Axis Centers(const cli::Axis& axis, int bins);

// As CSV: one line per row of the matrix. Reading needs as many rows and columns as `bins`;
// DATA_LOSS naming the file otherwise.
absl::Status WriteMatrix(const std::filesystem::path& file, const Eigen::MatrixXd& matrix);
absl::StatusOr<Eigen::MatrixXd> ReadMatrix(const std::filesystem::path& file, int bins);

}  // namespace aisivi::experiments
