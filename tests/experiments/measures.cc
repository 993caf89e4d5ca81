#include "tests/experiments/measures.h"

#include <cmath>

#include "client/experiments/marginal_density.h"

namespace aisivi::experiments {
namespace {

constexpr uint64_t kSeed = 2026;

absl::StatusOr<Eigen::MatrixXd> DrawPoints(const Client& client, const v1::Fit& fit,
                                           int64_t count) {
  absl::StatusOr<Draws> draws = client.GetDraws(
      fit.name(), {.count = count, .seed = kSeed, .densities = false, .unconstrained = true});
  if (!draws.ok()) return draws.status();
  return std::move(draws->z);
}

}  // namespace

absl::StatusOr<double> MeanForwardKl(const Client& client, const v1::Fit& fit,
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
      client.Summary(fit.name(), {.count = 100000, .unconstrained = true});
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
  const absl::StatusOr<Eigen::MatrixXd> z = DrawPoints(client, fit, 60000);
  if (!z.ok()) return z.status();
  return MarginalLogDensity(*z, reference, 0.01);
}

}  // namespace aisivi::experiments
