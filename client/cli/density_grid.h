// Smoothed densities of draws, for pictures.
//
//   f(x) = (1/N) Σ_n N(x; x_n, h²),   h = 0.85 · s · N^(−1/(4+d)),   s = min(sd, IQR / 1.349)
//
// with d = 1 or 2 dimensions (the factor is below the normal reference rule, because posteriors
// are often not normal). Source: Silverman, Density Estimation (1986), §3.4 and §4.3.
#pragma once

#include <Eigen/Core>
#include <vector>

namespace aisivi::cli {

// Where an axis begins and ends, and its tick marks.
struct Axis {
  double min = 0, max = 1;
  std::vector<double> ticks;
};

// Shows all but the outermost half percent of the values (N ≥ 1, finite), with a margin.
Axis AxisFor(const Eigen::VectorXd& values);

// Three to six round numbers inside [min, max].
std::vector<double> RoundTicks(double min, double max);

// f at `points` equally spaced points of the axis.
Eigen::VectorXd Density(const Eigen::VectorXd& values, const Axis& axis, int points);

// f at points × points positions; entry (i, j) is at position i of x and j of y.
Eigen::MatrixXd Density2(const Eigen::VectorXd& x, const Eigen::VectorXd& y, const Axis& x_axis,
                         const Axis& y_axis, int points);

// The smallest value such that the entries at least that large hold `share` of the sum.
double HighestDensityLevel(const Eigen::MatrixXd& density, double share);

// Pearson's correlation; 0 when one of the two is constant.
double Correlation(const Eigen::VectorXd& x, const Eigen::VectorXd& y);

// Which coordinates of z (D×N) to show: all when they are at most `count`; otherwise the most
// correlated pair, then one by one the coordinate most correlated with one already chosen.
// Ascending.
std::vector<int> ChooseCoordinates(const Eigen::MatrixXd& z, int count);

}  // namespace aisivi::cli
