#include "engine/methods/elbo.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "engine/methods/student.h"

namespace aisivi {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kNegInf = -std::numeric_limits<double>::infinity();

// In order, so that the sum does not depend on where an array begins.
double Mean(const Eigen::VectorXd& values) {
  double sum = 0;
  for (const double v : values) sum += v;
  return sum / static_cast<double>(values.size());
}

int64_t CountGroups(int64_t values, const DrawGroups& groups) {
  return (groups.first + values - 1) / groups.size - groups.first / groups.size + 1;
}

}  // namespace

double BetweenGroups(const Eigen::VectorXd& values, const DrawGroups& groups) {
  const double n = static_cast<double>(values.size()), mean = Mean(values);
  const double count = static_cast<double>(CountGroups(values.size(), groups));
  if (count < 2) return kNan;
  double squares = 0;
  for (int64_t j = 0; j < values.size();) {
    const int64_t group = (groups.first + j) / groups.size;
    double sum = 0;
    for (; j < values.size() && (groups.first + j) / groups.size == group; ++j) {
      sum += values[j] - mean;
    }
    squares += sum * sum;
  }
  return std::sqrt(squares * count / (count - 1)) / n;
}

double StandardError(const Eigen::VectorXd& values, const DrawGroups& groups) {
  const double single = BetweenGroups(values, {});
  if (groups.size == 1) return single;
  const int64_t count = CountGroups(values.size(), groups);
  if (count < 2) return kNan;
  return std::max(single, StudentReach(count - 1) / kNormalReach * BetweenGroups(values, groups));
}

ElboEstimate ElboFromLogWeights(const Eigen::VectorXd& log_weights, const DrawGroups& groups) {
  double sum = 0;
  int64_t good = 0;
  for (const double value : log_weights) {
    if (!std::isfinite(value)) continue;
    sum += value;
    ++good;
  }
  if (good == 0) return {kNegInf, kNan};
  const double mean = sum / static_cast<double>(good);
  const double share = static_cast<double>(good) / static_cast<double>(log_weights.size());
  const double value = mean + std::log(share);
  if (good == 1) return {value, kNan};
  Eigen::VectorXd influence(log_weights.size());
  for (int64_t j = 0; j < log_weights.size(); ++j) {
    influence[j] = std::isfinite(log_weights[j]) ? (log_weights[j] - mean + 1 - share) / share : -1;
  }
  return {value, StandardError(influence, groups)};
}

}  // namespace aisivi
