#include "engine/fit/held_out.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>

#include "engine/evidence/evidence.h"
#include "engine/evidence/verdict.h"
#include "engine/fit/schedule.h"
#include "engine/model/model.h"
#include "engine/model/model_state.h"

namespace aisivi {
namespace {

constexpr double kFewestDraws = 512, kMostDraws = 4096;
constexpr double kFewestInner = 32, kInner = 128;
constexpr double kFewestPriorInner = 512, kMostPriorInner = 4096;
constexpr uint64_t kSeed = 0x5EEDC4EC;
constexpr double kClosed = 0.002;  // nats

}  // namespace

double StandardErrorOfDifference(const HeldOut& a, const HeldOut& b) {
  if (a.log_weight.size() != b.log_weight.size()) return 0;
  Eigen::VectorXd difference = a.log_weight - b.log_weight;
  double sum = 0, finite = 0;
  for (const double d : difference) {
    if (!std::isfinite(d)) continue;
    sum += d;
    ++finite;
  }
  if (finite < 2) return 0;
  // The others stand at the mean, where they add nothing.
  for (double& d : difference) d = std::isfinite(d) ? d - sum / finite : 0;
  return StandardError(difference, a.groups) * static_cast<double>(difference.size()) / finite;
}

HeldOutSize SizeOfHeldOut(const FitOptions& options, bool has_proposal) {
  const double each = static_cast<double>(options.inner_samples * options.chunks);
  const double all = static_cast<double>(Schedule(options).interval()) *
                     static_cast<double>(options.points) * each;
  const double inner = has_proposal ? kInner : std::clamp(each, kFewestPriorInner, kMostPriorInner);
  const double draws = std::clamp(std::floor(all / inner), kFewestDraws, kMostDraws);
  const double affordable = has_proposal ? std::max(kFewestInner, std::floor(all / draws)) : inner;
  return {static_cast<int64_t>(draws), static_cast<int64_t>(std::min(inner, affordable))};
}

absl::StatusOr<HeldOut> EvaluateHeldOut(const ModelState& state, const Target& target,
                                        const FitOptions& options, ThreadPool& pool,
                                        const std::atomic<bool>* cancel) {
  const HeldOutSize size = SizeOfHeldOut(options, state.components.front().has_proposal);
  const Model model(std::make_unique<const ModelState>(state));
  const absl::StatusOr<DrawBatch> draws =
      Draw(model, &target, kSeed, 0, size.draws, size.inner_samples, pool, cancel);
  if (!draws.ok()) return draws.status();
  const EvidenceEstimate estimate = EvidenceFromDraws(*draws, size.inner_samples);
  HeldOut result{estimate.elbo_lower, estimate.log_z - estimate.elbo_lower, false,
                 draws->log_p - draws->log_q, draws->groups};
  const bool usable = estimate.non_finite * 2 <= estimate.draws && std::isfinite(result.elbo) &&
                      ParametersAreFinite(state);
  if (!usable) result.elbo = -std::numeric_limits<double>::infinity();
  result.at_ceiling = usable && estimate.non_finite == 0 && JudgeTail(estimate) == Verdict::kGood &&
                      estimate.standard_error < kClosed && result.gap < kClosed;
  return result;
}

}  // namespace aisivi
