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

// Room for `total` draws, filled from the front.
class Collector {
 public:
  Collector(int64_t dim, int64_t total) {
    all_.z.resize(dim, total);
    all_.log_p.resize(total);
    all_.log_q.resize(total);
    all_.log_q_upper.resize(total);
  }
  void Add(const DrawBatch& part) {
    const int64_t n = part.z.cols();
    all_.z.middleCols(done_, n) = part.z;
    all_.log_p.segment(done_, n) = part.log_p;
    all_.log_q.segment(done_, n) = part.log_q;
    all_.log_q_upper.segment(done_, n) = part.log_q_upper;
    all_.groups = {part.groups.size, 0};  // the parts follow each other from draw 0 on
    done_ += n;
  }
  int64_t done() const { return done_; }
  DrawBatch Take() && {
    all_.z.conservativeResize(Eigen::NoChange, done_);
    all_.log_p.conservativeResize(done_);
    all_.log_q.conservativeResize(done_);
    all_.log_q_upper.conservativeResize(done_);
    return std::move(all_);
  }

 private:
  DrawBatch all_;
  int64_t done_ = 0;
};

}  // namespace

absl::StatusOr<EvidenceEstimate> FinalEvidence(const Model& model, const Target& target,
                                               const FitOptions& options, ThreadPool& pool,
                                               Deadline& deadline, Reporter& reporter,
                                               std::vector<std::string>* log) {
  deadline.Set(1);
  const int64_t total = options.evidence_draws;
  reporter.Phase(FitPhase::kEvidence, total);
  absl::StatusOr<int64_t> k = ChooseInnerSamples(model, target, options, pool, deadline);
  if (absl::IsCancelled(k.status()) && !deadline.Cancelled()) k = options.evidence_inner_samples;
  if (!k.ok()) return k.status();
  if (*k > options.evidence_inner_samples) {
    log->push_back(
        absl::StrFormat("The evidence uses %d inner samples to bring its bounds together.", *k));
  }
  Collector all(target.dim(), total);
  while (all.done() < total) {
    const int64_t n = std::min(deadline.limit() > 0 ? kShortChunk : kChunk, total - all.done());
    const absl::StatusOr<DrawBatch> part =
        Draw(model, &target, options.seed, all.done(), n, *k, pool, deadline.flag());
    if (absl::IsCancelled(part.status()) && !deadline.Cancelled()) break;
    if (!part.ok()) return part.status();
    all.Add(*part);
    reporter.current().iteration = all.done();
    reporter.Report();
  }
  if (all.done() == 0) {
    // No time at all was left: a rough estimate, which takes a moment, is better than none.
    *k = std::min(*k, kRoughInner);
    const absl::StatusOr<DrawBatch> part = Draw(
        model, &target, options.seed, 0, std::min(kShortChunk, total), *k, pool, deadline.cancel());
    if (!part.ok()) return part.status();
    all.Add(*part);
  }
  const EvidenceEstimate estimate = EvidenceFromDraws(std::move(all).Take(), *k);
  reporter.current().log_z = estimate.log_z;
  reporter.current().elbo = estimate.elbo_lower;
  return estimate;
}

}  // namespace aisivi
