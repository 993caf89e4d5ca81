#include "client/experiments/marginal_density.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace aisivi::experiments {
namespace {

// Σ_j log Σ_n exp(−½ ((x_j − z_n) / h)²) of one coordinate, z ascending.
double LogKernelSums(const std::vector<double>& z, const Eigen::RowVectorXd& reference,
                     double bandwidth) {
  const double reach = 10 * bandwidth;  // beyond, a kernel adds less than e^-50
  double total = 0;
  for (const double x : reference) {
    const auto first = std::lower_bound(z.begin(), z.end(), x - reach);
    const auto last = std::upper_bound(first, z.end(), x + reach);
    double sum = 1e-300;
    for (auto it = first; it != last; ++it) {
      const double t = (*it - x) / bandwidth;
      sum += std::exp(-0.5 * t * t);
    }
    total += std::log(sum);
  }
  return total;
}

}  // namespace

double MarginalLogDensity(const Eigen::MatrixXd& draws, const Eigen::MatrixXd& reference,
                          double bandwidth) {
  const auto n = static_cast<double>(draws.cols());
  double total = 0;
  std::vector<double> sorted(static_cast<size_t>(draws.cols()));
  for (Eigen::Index d = 0; d < draws.rows(); ++d) {
    Eigen::RowVectorXd::Map(sorted.data(), draws.cols()) = draws.row(d);
    std::sort(sorted.begin(), sorted.end());
    total += LogKernelSums(sorted, reference.row(d), bandwidth);
  }
  return total -
         static_cast<double>(reference.size()) * std::log(n * bandwidth * std::sqrt(2 * M_PI));
}

}  // namespace aisivi::experiments
