#include "engine/evidence/resample.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "absl/strings/str_cat.h"
#include "engine/evidence/pareto.h"
#include "engine/parallel/rng.h"

namespace aisivi {
namespace {

constexpr int64_t kPoolFactor = 4;
constexpr int64_t kSmallestPool = 4096;
constexpr int64_t kMaxNumbers = int64_t{1} << 25;
constexpr int64_t kMaxInnerSamples = 1 << 22;
constexpr uint32_t kNoBlock = std::numeric_limits<uint32_t>::max();
constexpr double kNegInf = -std::numeric_limits<double>::infinity();

absl::Status Validate(const Model& model, int64_t count, int64_t inner_samples) {
  const int64_t most = kMaxNumbers / model.dim() / kPoolFactor;
  if (count < 1 || count > most) {
    return absl::InvalidArgumentError(absl::StrCat("count: ", count, " is not in [1, ", most,
                                                   "], the most that can be resampled at once"));
  }
  if (inner_samples < 1 || inner_samples > kMaxInnerSamples) {
    return absl::InvalidArgumentError(
        absl::StrCat("inner_samples: must be between 1 and ", kMaxInnerSamples));
  }
  return absl::OkStatus();
}

Eigen::VectorXd LogWeights(const DrawBatch& draws) {
  Eigen::VectorXd log_weights = draws.log_p - draws.log_q;
  for (double& value : log_weights) {
    if (!std::isfinite(value)) value = kNegInf;
  }
  return log_weights;
}

void Choose(const DrawBatch& draws, const std::vector<int64_t>& chosen, ResampledDraws* result) {
  const int64_t count = static_cast<int64_t>(chosen.size());
  result->z.resize(draws.z.rows(), count);
  result->log_p.resize(count);
  result->log_q.resize(count);
  for (int64_t i = 0; i < count; ++i) {
    result->z.col(i) = draws.z.col(chosen[i]);
    result->log_p[i] = draws.log_p[chosen[i]];
    result->log_q[i] = draws.log_q[chosen[i]];
  }
}

}  // namespace

int64_t ResamplingPool(int64_t count) { return std::max(kSmallestPool, kPoolFactor * count); }

std::vector<int64_t> SystematicResample(const Eigen::VectorXd& log_weights, int64_t count,
                                        double u) {
  // Eigen's vectorised exp(−∞) is small but not zero.
  const Eigen::ArrayXd weights =
      (log_weights.array() > kNegInf)
          .select((log_weights.array() - log_weights.maxCoeff()).exp(), 0.0);
  double total = 0;
  for (const double w : weights) total += w;
  std::vector<int64_t> chosen;
  chosen.reserve(count);
  double below = 0;
  int64_t last = 0;
  for (int64_t j = 0; j < weights.size(); ++j) {
    below += weights[j];
    if (weights[j] > 0) last = j;
    while (static_cast<int64_t>(chosen.size()) < count &&
           (static_cast<double>(chosen.size()) + u) / static_cast<double>(count) * total < below) {
      chosen.push_back(j);
    }
  }
  // Rounding may leave the last position at the very end of the sum.
  while (static_cast<int64_t>(chosen.size()) < count) chosen.push_back(last);
  return chosen;
}

absl::StatusOr<ResampledDraws> Resample(const Model& model, const Target& target, uint64_t seed,
                                        int64_t count, int64_t inner_samples, ThreadPool& pool,
                                        const std::atomic<bool>* cancel) {
  if (absl::Status s = Validate(model, count, inner_samples); !s.ok()) return s;
  ResampledDraws result;
  result.pool = ResamplingPool(count);
  const absl::StatusOr<DrawBatch> draws =
      Draw(model, &target, seed, 0, result.pool, inner_samples, pool, cancel);
  if (!draws.ok()) return draws.status();
  const EvidenceEstimate estimate = EvidenceFromDraws(*draws, inner_samples);
  const Eigen::VectorXd log_weights = LogWeights(*draws);
  if (log_weights.maxCoeff() == kNegInf) {
    return absl::FailedPreconditionError("resample: no draw has a finite weight");
  }
  result.pareto_k = estimate.pareto_k;
  result.ess = estimate.ess;
  result.tail = JudgeTail(estimate);
  // Of a block of draws that lies beyond the pool, and beyond all that a seed's sequence reaches.
  const double u = UniformAt({seed, RngPurpose::kComponent, kNoBlock, 0}, 0);
  Choose(*draws, SystematicResample(SmoothWeights(log_weights).log_weights, count, u), &result);
  return result;
}

}  // namespace aisivi
