#include "engine/fit/final_evidence.h"

#include <algorithm>

#include "absl/strings/str_format.h"
#include "engine/model/model_state.h"

namespace aisivi {
namespace {

constexpr int64_t kChunk = 1024;      // draws between two reports
constexpr int64_t kShortChunk = 256;  // with a time limit
constexpr int64_t kRoughInner = 64;   // when the time limit has passed
constexpr double kSandwich = 0.0005;  // nats
constexpr int64_t kMaxGrowth = 64;
constexpr int64_t kMaxInner = 1 << 22;  // the most that Draw takes
constexpr double kMaxFlop = 2e12;
constexpr double kGrowthShare = 0.9;  // of the time limit, beyond which K does not grow

// K as the options say, or more where the bounds are still apart.
absl::StatusOr<int64_t> ChooseInnerSamples(const Model& model, const Target& target,
                                           const FitOptions& options, ThreadPool& pool,
                                           const Deadline& deadline) {
  const double flop_each = InnerSampleFlop(model.state().components.front());
  int64_t k = options.evidence_inner_samples;
  const int64_t most = std::min(kMaxInner, kMaxGrowth * k);
  while (2 * k <= most && !deadline.Passed(kGrowthShare) &&
         2.0 * static_cast<double>(k * options.evidence_draws) * flop_each < kMaxFlop) {
    const absl::StatusOr<DrawBatch> pilot =
        Draw(model, &target, options.seed, 0,
             std::min(deadline.limit() > 0 ? kShortChunk : kChunk, options.evidence_draws), k, pool,
             deadline.flag());
    if (!pilot.ok()) return pilot.status();
    const EvidenceEstimate estimate = EvidenceFromDraws(*pilot, k);
    if (!(estimate.elbo_upper - estimate.elbo_lower > kSandwich)) break;
    k *= 2;
  }
  return k;
}

void Append(const Eigen::VectorXd& values, std::vector<double>* all) {
  all->insert(all->end(), values.begin(), values.end());
}

void Collect(const DrawBatch& part, EvidenceState* state) {
  Append(part.log_p, &state->log_p);
  Append(part.log_q, &state->log_q);
  Append(part.log_q_upper, &state->log_q_upper);
  state->groups = {part.groups.size, 0};  // the parts follow each other from draw 0 on
}

EvidenceEstimate EstimateFrom(const EvidenceState& state) {
  const auto vector = [](const std::vector<double>& values) {
    return Eigen::Map<const Eigen::VectorXd>(values.data(), static_cast<int64_t>(values.size()));
  };
  DrawBatch draws;
  draws.log_p = vector(state.log_p);
  draws.log_q = vector(state.log_q);
  draws.log_q_upper = vector(state.log_q_upper);
  draws.groups = state.groups;
  return EvidenceFromDraws(draws, state.inner_samples);
}

}  // namespace

absl::StatusOr<EvidenceEstimate> FinalEvidence(const Model& model, const Target& target,
                                               const FitOptions& options, ThreadPool& pool,
                                               Deadline& deadline, Reporter& reporter,
                                               const std::function<void()>& safe_point,
                                               EvidenceState* state,
                                               std::vector<std::string>* log) {
  deadline.Set(1);
  const int64_t total = options.evidence_draws;
  int64_t& k = state->inner_samples;
  if (k == 0) {
    reporter.Phase(FitPhase::kEvidence, total);
    absl::StatusOr<int64_t> chosen = ChooseInnerSamples(model, target, options, pool, deadline);
    if (absl::IsCancelled(chosen.status()) && !deadline.Cancelled()) {
      chosen = options.evidence_inner_samples;
    }
    if (!chosen.ok()) return chosen.status();
    k = *chosen;
    if (k > options.evidence_inner_samples) {
      log->push_back(
          absl::StrFormat("The evidence uses %d inner samples to bring its bounds together.", k));
    }
  }
  const auto done = [state] { return static_cast<int64_t>(state->log_p.size()); };
  while (done() < total) {
    safe_point();
    const int64_t n = std::min(deadline.limit() > 0 ? kShortChunk : kChunk, total - done());
    const absl::StatusOr<DrawBatch> part =
        Draw(model, &target, options.seed, done(), n, k, pool, deadline.flag());
    if (absl::IsCancelled(part.status()) && !deadline.Cancelled()) break;
    if (!part.ok()) return part.status();
    Collect(*part, state);
    reporter.current().iteration = done();
    reporter.Report();
  }
  if (done() == 0) {
    // No time at all was left: a rough estimate, which takes a moment, is better than none.
    k = std::min(k, kRoughInner);
    const absl::StatusOr<DrawBatch> part = Draw(
        model, &target, options.seed, 0, std::min(kShortChunk, total), k, pool, deadline.cancel());
    if (!part.ok()) return part.status();
    Collect(*part, state);
  }
  const EvidenceEstimate estimate = EstimateFrom(*state);
  reporter.current().log_z = estimate.log_z;
  reporter.current().elbo = estimate.elbo_lower;
  return estimate;
}

}  // namespace aisivi
