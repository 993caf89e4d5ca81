#include "engine/explore/multistate.h"

#include <cmath>
#include <cstdint>
#include <limits>

namespace aisivi {
namespace {

double LogSum(const Eigen::ArrayXd& terms) {
  const double highest = terms.maxCoeff();
  if (!std::isfinite(highest)) return highest;
  return highest + std::log((terms - highest).exp().sum());
}

// β δ_n with 0 · (−∞) = 0, M×S for the pooled δ.
Eigen::ArrayXXd LogDensities(const Eigen::Map<const Eigen::ArrayXd>& delta,
                             const Eigen::VectorXd& beta) {
  Eigen::ArrayXXd result(delta.size(), beta.size());
  for (int64_t s = 0; s < beta.size(); ++s) {
    if (beta[s] == 0) {
      result.col(s).setZero();
    } else {
      result.col(s) = beta[s] * delta;
    }
  }
  return result;
}

}  // namespace

double MultistateLogZ(const Eigen::MatrixXd& log_ratio, const Eigen::VectorXd& beta,
                      const Eigen::VectorXd& log_z, const std::function<bool()>& stop) {
  constexpr int kMaxIterations = 200;
  constexpr double kTolerance = 1e-5;  // nats
  const Eigen::Map<const Eigen::ArrayXd> delta(log_ratio.data(), log_ratio.size());
  const Eigen::ArrayXXd log_density = LogDensities(delta, beta);
  const double log_count = std::log(static_cast<double>(log_ratio.rows()));
  Eigen::VectorXd current = log_z;
  for (int iteration = 0; iteration < kMaxIterations; ++iteration) {
    const Eigen::ArrayXXd terms = log_density.rowwise() - current.transpose().array();
    const Eigen::ArrayXd highest = terms.rowwise().maxCoeff();
    const Eigen::ArrayXd log_mixture =
        highest + (terms.colwise() - highest).exp().rowwise().sum().log() + log_count;
    Eigen::VectorXd next(beta.size());
    for (int64_t s = 0; s < beta.size(); ++s) next[s] = LogSum(log_density.col(s) - log_mixture);
    next.array() -= next[0];
    const double change = (next - current).cwiseAbs().maxCoeff();
    current = next;
    if (!(change > kTolerance) || (stop && stop())) break;
  }
  return current[current.size() - 1];
}

}  // namespace aisivi
