#include "engine/explore/temperature.h"

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "engine/explore/population.h"

namespace aisivi {
namespace {

// Particles of some weight, the mean over islands that have any.
double MeanAlive(const Eigen::MatrixXd& log_ratio) {
  const double alive = static_cast<double>((log_ratio.array() > kNoWeight).count());
  const int64_t islands = (log_ratio.colwise().maxCoeff().array() > kNoWeight).count();
  return islands == 0 ? 0 : alive / static_cast<double>(islands);
}

}  // namespace

double MeanEss(const Eigen::MatrixXd& log_ratio, double beta_increment) {
  double sum = 0;
  int64_t islands = 0;
  for (int64_t i = 0; i < log_ratio.cols(); ++i) {
    const double highest = log_ratio.col(i).maxCoeff();
    if (highest == kNoWeight) continue;
    const Eigen::ArrayXd weights = (beta_increment * (log_ratio.col(i).array() - highest)).exp();
    sum += weights.sum() * weights.sum() / weights.square().sum();
    ++islands;
  }
  return islands == 0 ? 0 : sum / static_cast<double>(islands);
}

Eigen::VectorXd LogMeanWeights(const Eigen::MatrixXd& log_ratio, double beta_increment) {
  Eigen::VectorXd result(log_ratio.cols());
  for (int64_t i = 0; i < log_ratio.cols(); ++i) {
    const double highest = log_ratio.col(i).maxCoeff();
    if (highest == kNoWeight) {
      result[i] = kNoWeight;
      continue;
    }
    const double mean = (beta_increment * (log_ratio.col(i).array() - highest)).exp().mean();
    result[i] = beta_increment * highest + std::log(mean);
  }
  return result;
}

double NextBeta(const Eigen::MatrixXd& log_ratio, double beta, double ess_share) {
  constexpr int kBisections = 40;
  const double enough = ess_share * MeanAlive(log_ratio);
  if (MeanEss(log_ratio, 1 - beta) >= enough) return 1;
  // In the logarithm of the increment: the first steps from a poor base are tiny ones.
  double low = std::log(1e-12), high = std::log(1 - beta);
  for (int i = 0; i < kBisections && low < high; ++i) {
    const double middle = 0.5 * (low + high);
    (MeanEss(log_ratio, std::exp(middle)) >= enough ? low : high) = middle;
  }
  return std::min(1.0, beta + std::exp(low));
}

}  // namespace aisivi
