#include "engine/evidence/agreement.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

namespace aisivi {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

// x: N×C, one column per run.
double ScaleReduction(const Eigen::MatrixXd& x) {
  const double n = static_cast<double>(x.rows()), runs = static_cast<double>(x.cols());
  const Eigen::RowVectorXd means = x.colwise().mean();
  const double within = (x.rowwise() - means).squaredNorm() / (n - 1) / runs;
  const double between = (means.array() - means.mean()).square().sum() / (runs - 1);
  if (within == 0) return between == 0 ? 1.0 : std::numeric_limits<double>::infinity();
  return std::sqrt(((n - 1) / n * within + between) / within);
}

double Median(const Eigen::MatrixXd& x) {
  std::vector<double> values(x.data(), x.data() + x.size());
  const auto middle = values.begin() + static_cast<int64_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  if (values.size() % 2 == 1) return *middle;
  return 0.5 * (*middle + *std::max_element(values.begin(), middle));
}

}  // namespace

double RHat(const std::vector<Eigen::MatrixXd>& draws) {
  if (draws.size() < 2) return kNan;
  int64_t count = draws.front().cols();
  for (const Eigen::MatrixXd& run : draws) {
    if (run.rows() != draws.front().rows() || !run.allFinite()) return kNan;
    count = std::min<int64_t>(count, run.cols());
  }
  if (count < 2 || draws.front().rows() == 0) return kNan;
  double largest = 0;
  Eigen::MatrixXd x(count, draws.size());
  for (int64_t d = 0; d < draws.front().rows(); ++d) {
    for (size_t run = 0; run < draws.size(); ++run) {
      x.col(run) = draws[run].row(d).head(count).transpose();
    }
    const Eigen::MatrixXd folded = (x.array() - Median(x)).abs();
    largest = std::max({largest, ScaleReduction(x), ScaleReduction(folded)});
  }
  return largest;
}

}  // namespace aisivi
