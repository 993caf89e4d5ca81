#include "engine/fit/held_out.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>

#include "engine/evidence/evidence.h"
#include "engine/evidence/verdict.h"
#include "engine/model/model.h"

namespace aisivi {
namespace {

constexpr int64_t kDraws = 4096;
constexpr int64_t kInner = 128;
constexpr int64_t kPriorInner = 4096;  // where inner samples come from p(ε)
constexpr uint64_t kSeed = 0x5EEDC4EC;
constexpr double kClosed = 0.002;  // nats

}  // namespace

absl::StatusOr<HeldOut> EvaluateHeldOut(const ModelState& state, const Target& target,
                                        const FitOptions& options, ThreadPool& pool,
                                        const std::atomic<bool>* cancel) {
  const int64_t inner = state.components.front().has_proposal ? kInner : kPriorInner;
  const Model model(std::make_unique<const ModelState>(state));
  const absl::StatusOr<EvidenceEstimate> estimate =
      EstimateEvidence(model, target, kSeed, std::min(kDraws, options.evidence_draws),
                       std::min(inner, options.evidence_inner_samples), pool, cancel);
  if (!estimate.ok()) return estimate.status();
  HeldOut result{estimate->elbo_lower, estimate->elbo_lower_se,
                 estimate->log_z - estimate->elbo_lower, false};
  if (estimate->non_finite * 2 > estimate->draws || !std::isfinite(result.elbo)) {
    result.elbo = -std::numeric_limits<double>::infinity();
  }
  result.at_ceiling = JudgeTail(*estimate) == Verdict::kGood &&
                      estimate->standard_error < kClosed && result.gap < kClosed;
  return result;
}

}  // namespace aisivi
