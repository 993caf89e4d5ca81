#include "client/experiments/forward_kl.h"

#include <algorithm>
#include <cmath>

namespace aisivi::experiments {

int64_t ForwardKlInnerSamples(const v1::Fit& fit, int64_t draws) {
  constexpr int64_t kFewest = 2048, kMostTogether = 200'000'000;
  const int64_t wanted = std::max(kFewest, fit.evidence().inner_samples());
  return std::clamp(kMostTogether / std::max<int64_t>(draws, 1), kFewest, wanted);
}

absl::StatusOr<KlEstimate> ForwardKl(const Client& client, const v1::Fit& fit,
                                     const Eigen::MatrixXd& draws, const Eigen::VectorXd& log_p) {
  constexpr uint64_t kSeed = 2026;
  const absl::StatusOr<LogDensity> density =
      client.EvaluateLogDensity(fit.name(), draws, ForwardKlInnerSamples(fit, draws.cols()), kSeed);
  if (!density.ok()) return density.status();
  const Eigen::ArrayXd terms = (log_p - density->log_q).array();
  const auto n = static_cast<double>(terms.size());
  const double variance = (terms - terms.mean()).square().sum() / (n - 1);
  return KlEstimate{terms.mean(), std::sqrt(variance / n)};
}

}  // namespace aisivi::experiments
