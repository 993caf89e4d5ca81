#include "client/cli/density_grid.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "client/cli/quantile.h"

namespace aisivi::cli {
namespace {

std::vector<double> Sorted(const Eigen::VectorXd& values) {
  std::vector<double> sorted(values.data(), values.data() + values.size());
  std::sort(sorted.begin(), sorted.end());
  return sorted;
}

double Bandwidth(const Eigen::VectorXd& values, const Axis& axis, int dimensions) {
  const std::vector<double> sorted = Sorted(values);
  const double sd = std::sqrt((values.array() - values.mean()).square().mean());
  const double iqr = (Quantile(sorted, 0.75) - Quantile(sorted, 0.25)) / 1.349;
  const double spread = iqr > 0 ? std::min(sd, iqr) : sd;
  const double rule =
      0.85 * spread * std::pow(static_cast<double>(values.size()), -1.0 / (4 + dimensions));
  // Never so narrow that a kernel falls between the points of the grid.
  return std::max(rule, (axis.max - axis.min) / 200);
}

// The kernel of one draw at the points of the axis.
Eigen::VectorXd Kernel(double value, const Axis& axis, int points, double bandwidth) {
  const Eigen::ArrayXd grid = Eigen::ArrayXd::LinSpaced(points, axis.min, axis.max);
  const double scale = 1 / (bandwidth * std::sqrt(2 * M_PI));
  return scale * (-0.5 * ((grid - value) / bandwidth).square()).exp();
}

}  // namespace

std::vector<double> RoundTicks(double min, double max) {
  const double range = max - min;
  if (!(range > 0) || !std::isfinite(range)) return {min};
  const double magnitude = std::pow(10, std::floor(std::log10(range)));
  for (const double step : {5.0, 2.0, 1.0, 0.5, 0.2, 0.1}) {
    std::vector<double> ticks;
    const double width = step * magnitude;
    for (double k = std::ceil(min / width); k * width <= max; ++k) ticks.push_back(k * width);
    if (ticks.size() >= 3) return ticks;
  }
  return {min, max};
}

Axis AxisFor(const Eigen::VectorXd& values) {
  const std::vector<double> sorted = Sorted(values);
  Axis axis;
  axis.min = Quantile(sorted, 0.005);
  axis.max = Quantile(sorted, 0.995);
  double margin = 0.12 * (axis.max - axis.min);
  if (!(margin > 0)) margin = std::max(1e-6, 0.1 * std::abs(axis.min));
  axis.min -= margin;
  axis.max += margin;
  axis.ticks =
      RoundTicks(axis.min + 0.04 * (axis.max - axis.min), axis.max - 0.04 * (axis.max - axis.min));
  return axis;
}

Eigen::VectorXd Density(const Eigen::VectorXd& values, const Axis& axis, int points) {
  const double bandwidth = Bandwidth(values, axis, 1);
  Eigen::VectorXd density = Eigen::VectorXd::Zero(points);
  for (Eigen::Index n = 0; n < values.size(); ++n) {
    density += Kernel(values[n], axis, points, bandwidth);
  }
  return density / static_cast<double>(values.size());
}

Eigen::MatrixXd Density2(const Eigen::VectorXd& x, const Eigen::VectorXd& y, const Axis& x_axis,
                         const Axis& y_axis, int points) {
  const double x_bandwidth = Bandwidth(x, x_axis, 2), y_bandwidth = Bandwidth(y, y_axis, 2);
  Eigen::MatrixXd density = Eigen::MatrixXd::Zero(points, points);
  constexpr Eigen::Index kBlock = 256;
  Eigen::MatrixXd x_kernels(points, kBlock), y_kernels(points, kBlock);
  for (Eigen::Index start = 0; start < x.size(); start += kBlock) {
    const Eigen::Index count = std::min(kBlock, x.size() - start);
    for (Eigen::Index n = 0; n < count; ++n) {
      x_kernels.col(n) = Kernel(x[start + n], x_axis, points, x_bandwidth);
      y_kernels.col(n) = Kernel(y[start + n], y_axis, points, y_bandwidth);
    }
    density += x_kernels.leftCols(count) * y_kernels.leftCols(count).transpose();
  }
  return density / static_cast<double>(x.size());
}

double HighestDensityLevel(const Eigen::MatrixXd& density, double share) {
  std::vector<double> values(density.data(), density.data() + density.size());
  std::sort(values.begin(), values.end(), std::greater<>());
  const double total = std::accumulate(values.begin(), values.end(), 0.0);
  double sum = 0;
  for (const double value : values) {
    sum += value;
    if (sum >= share * total) return value;
  }
  return 0;
}

double Correlation(const Eigen::VectorXd& x, const Eigen::VectorXd& y) {
  const Eigen::ArrayXd a = x.array() - x.mean(), b = y.array() - y.mean();
  const double scale = std::sqrt(a.square().sum() * b.square().sum());
  return scale > 0 ? (a * b).sum() / scale : 0;
}

std::vector<int> ChooseCoordinates(const Eigen::MatrixXd& z, int count) {
  const int dimension = static_cast<int>(z.rows());
  std::vector<int> chosen(dimension);
  std::iota(chosen.begin(), chosen.end(), 0);
  if (dimension <= count) return chosen;
  Eigen::MatrixXd unit = z.colwise() - z.rowwise().mean();
  const Eigen::VectorXd norms = unit.rowwise().norm().cwiseMax(1e-300);
  unit.array().colwise() /= norms.array();
  Eigen::MatrixXd strength = (unit * unit.transpose()).cwiseAbs();
  strength.diagonal().setZero();
  Eigen::Index first, second;
  strength.maxCoeff(&first, &second);
  chosen = {static_cast<int>(first), static_cast<int>(second)};
  if (count < 2) chosen.resize(1);
  while (static_cast<int>(chosen.size()) < count) {
    int best = -1;
    double best_strength = -1;
    for (int d = 0; d < dimension; ++d) {
      if (std::find(chosen.begin(), chosen.end(), d) != chosen.end()) continue;
      for (const int other : chosen) {
        if (strength(d, other) > best_strength) {
          best_strength = strength(d, other);
          best = d;
        }
      }
    }
    chosen.push_back(best);
  }
  std::sort(chosen.begin(), chosen.end());
  return chosen;
}

}  // namespace aisivi::cli
