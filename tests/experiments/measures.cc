#include "tests/experiments/measures.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace aisivi::experiments {
namespace {

constexpr uint64_t kSeed = 2026;

absl::StatusOr<Eigen::MatrixXd> DrawPoints(const Client& client, const v1::Fit& fit,
                                           int64_t count) {
  absl::StatusOr<Draws> draws =
      client.GetDraws(fit.name(), {.count = count, .seed = kSeed, .densities = false});
  if (!draws.ok()) return draws.status();
  return std::move(draws->z);
}

}  // namespace

absl::StatusOr<double> ForwardKl(const Client& client, const v1::Fit& fit,
                                 const Eigen::MatrixXd& draws, const Eigen::VectorXd& log_p) {
  constexpr int64_t kInner = 2048;
  const absl::StatusOr<LogDensity> log_q =
      client.EvaluateLogDensity(fit.name(), draws, kInner, kSeed);
  if (!log_q.ok()) return log_q.status();
  return (log_p - log_q->log_q).mean();
}

absl::StatusOr<double> WorstModeWeight(const Client& client, const v1::Fit& fit,
                                       const Eigen::MatrixXd& modes,
                                       const Eigen::VectorXd& weights) {
  const absl::StatusOr<Eigen::MatrixXd> z = DrawPoints(client, fit, 100000);
  if (!z.ok()) return z.status();
  Eigen::VectorXd share = Eigen::VectorXd::Zero(modes.cols());
  for (int64_t j = 0; j < z->cols(); ++j) {
    Eigen::Index nearest = 0;
    (modes.colwise() - z->col(j)).colwise().squaredNorm().minCoeff(&nearest);
    share[nearest] += 1 / static_cast<double>(z->cols());
  }
  return (share.array() / weights.array() - 1).abs().maxCoeff();
}

absl::StatusOr<double> WorstMean(const Client& client, const v1::Fit& fit,
                                 const Eigen::VectorXd& mean, const Eigen::VectorXd& sd) {
  const absl::StatusOr<v1::PosteriorSummary> summary =
      client.Summary(fit.name(), {.count = 100000});
  if (!summary.ok()) return summary.status();
  double worst = 0;
  for (int64_t d = 0; d < mean.size(); ++d) {
    const double off = std::abs(summary->coordinates(static_cast<int>(d)).mean() - mean[d]) / sd[d];
    worst = std::fmax(worst, off);
  }
  return worst;
}

absl::StatusOr<double> MarginalLogDensity(const Client& client, const v1::Fit& fit,
                                          const Eigen::MatrixXd& reference) {
  constexpr double kBandwidth = 0.01;
  constexpr double kReach = 10 * kBandwidth;  // beyond, a kernel adds less than e^-50
  const absl::StatusOr<Eigen::MatrixXd> z = DrawPoints(client, fit, 60000);
  if (!z.ok()) return z.status();
  const double log_constant =
      -std::log(static_cast<double>(z->cols()) * kBandwidth * std::sqrt(2 * 3.14159265358979324));
  double total = 0;
  for (int64_t d = 0; d < z->rows(); ++d) {
    std::vector<double> sorted(z->cols());
    Eigen::VectorXd::Map(sorted.data(), z->cols()) = z->row(d);
    std::sort(sorted.begin(), sorted.end());
    for (int64_t j = 0; j < reference.cols(); ++j) {
      const double x = reference(d, j);
      const auto first = std::lower_bound(sorted.begin(), sorted.end(), x - kReach);
      const auto last = std::upper_bound(first, sorted.end(), x + kReach);
      double sum = 1e-300;  // a reference draw far from all draws: a finite, terrible score
      for (auto it = first; it != last; ++it) {
        const double t = (*it - x) / kBandwidth;
        sum += std::exp(-0.5 * t * t);
      }
      total += std::log(sum) + log_constant;
    }
  }
  return total;
}

}  // namespace aisivi::experiments
