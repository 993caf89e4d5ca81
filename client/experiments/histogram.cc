#include "client/experiments/histogram.h"

#include <cmath>

namespace aisivi::experiments {

Eigen::MatrixXd Histogram2(const Eigen::MatrixXd& z, const cli::Axis& x, const cli::Axis& y,
                           int bins) {
  const double width = (x.max - x.min) / bins, height = (y.max - y.min) / bins;
  Eigen::MatrixXd density = Eigen::MatrixXd::Zero(bins, bins);
  for (Eigen::Index n = 0; n < z.cols(); ++n) {
    const double i = std::floor((z(0, n) - x.min) / width),
                 j = std::floor((z(1, n) - y.min) / height);
    if (!(i >= 0 && i < bins && j >= 0 && j < bins)) continue;
    density(static_cast<Eigen::Index>(i), static_cast<Eigen::Index>(j)) += 1;
  }
  return density / (static_cast<double>(z.cols()) * width * height);
}

cli::Axis Centers(const cli::Axis& axis, int bins) {
  const double half = 0.5 * (axis.max - axis.min) / bins;
  return {axis.min + half, axis.max - half, axis.ticks};
}

}  // namespace aisivi::experiments
