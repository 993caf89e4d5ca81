// Two-dimensional histograms of draws.
#pragma once

#include <Eigen/Core>

#include "client/cli/density_grid.h"

namespace aisivi::experiments {

// The share of the draws (2×N) in each of bins × bins cells, divided by the cell's area: an
// estimate of the density at the cell's centre. Draws outside the axes count, but fall into no
// cell.
Eigen::MatrixXd Histogram2(const Eigen::MatrixXd& z, const cli::Axis& x, const cli::Axis& y,
                           int bins);

// The axis through the centres of the cells.
cli::Axis Centers(const cli::Axis& axis, int bins);

}  // namespace aisivi::experiments
