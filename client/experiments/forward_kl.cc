#include "client/experiments/forward_kl.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "client/experiments/statistics.h"

namespace aisivi::experiments {

int64_t ForwardKlInnerSamples(const v1::Fit& fit, int64_t draws) {
  constexpr int64_t kFewest = 2048;
  // Through a flow every inner sample costs about ten times as much.
  const bool flow = fit.effective_settings().proposal().couplings() > 0;
  const int64_t most_together = flow ? 40'000'000 : 400'000'000;
  const int64_t wanted = std::max(kFewest, fit.evidence().inner_samples());
  return std::clamp(most_together / std::max<int64_t>(draws, 1), kFewest, wanted);
}

KlEstimate EstimateKl(const Eigen::VectorXd& log_p, const Eigen::VectorXd& log_q) {
  std::vector<double> terms(static_cast<size_t>(log_p.size()));
  Eigen::VectorXd::Map(terms.data(), log_p.size()) = log_p - log_q;
  KlEstimate kl;
  kl.value = Mean(terms);
  kl.standard_error = SampleSd(terms) / std::sqrt(static_cast<double>(terms.size()));
  std::sort(terms.begin(), terms.end());
  terms.resize(terms.size() - terms.size() / 100);
  kl.trimmed = Mean(terms);
  return kl;
}

absl::StatusOr<KlEstimate> ForwardKl(const Client& client, const v1::Fit& fit,
                                     const Eigen::MatrixXd& draws, const Eigen::VectorXd& log_p) {
  constexpr uint64_t kSeed = 2026;
  const absl::StatusOr<LogDensity> density =
      client.EvaluateLogDensity(fit.name(), draws, ForwardKlInnerSamples(fit, draws.cols()), kSeed);
  if (!density.ok()) return density.status();
  return EstimateKl(log_p, density->log_q);
}

}  // namespace aisivi::experiments
