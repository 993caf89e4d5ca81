#include "engine/explore/island_evidence.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "engine/methods/student.h"

namespace aisivi {
namespace {

struct MeanOfLogs {
  double log_mean, standard_error;
};

MeanOfLogs AverageIslands(const Eigen::VectorXd& logs) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const double highest = logs.maxCoeff();
  if (!std::isfinite(highest)) return {-kInfinity, kInfinity};
  const double islands = static_cast<double>(logs.size());
  const Eigen::ArrayXd values = (logs.array() - highest).exp();
  const double mean = values.mean();
  const double variance = (values - mean).square().sum() / (islands - 1);
  const double inflation = StudentReach(logs.size() - 1) / kNormalReach;
  return {highest + std::log(mean), inflation * std::sqrt(variance / islands) / mean};
}

}  // namespace

IslandEvidence CombineIslands(const Eigen::VectorXd& sequential,
                              const Eigen::VectorXd& multistate) {
  const MeanOfLogs a = AverageIslands(sequential), b = AverageIslands(multistate);
  IslandEvidence result{a.log_mean, b.log_mean, std::numeric_limits<double>::infinity()};
  if (!std::isfinite(a.log_mean) || !std::isfinite(b.log_mean)) return result;
  result.standard_error =
      std::hypot(std::max(a.standard_error, b.standard_error), a.log_mean - b.log_mean);
  return result;
}

}  // namespace aisivi
