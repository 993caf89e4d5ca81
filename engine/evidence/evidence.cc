#include "engine/evidence/evidence.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/evidence/pareto.h"
#include "engine/methods/elbo.h"
#include "engine/methods/marginal.h"
#include "engine/model/model_state.h"
#include "engine/model/sampler.h"

namespace aisivi {
namespace {

constexpr int64_t kBlock = 256;  // draws made together; part of the meaning of a seed
// Draws that share their inner samples where these come from p(ε): few, so that there are enough
// groups to tell a standard error from; not one each, for a sample's network costs as much as some
// hundred draws that use it. A divisor of kBlock.
constexpr int64_t kSharingDraws = 64;
constexpr int64_t kMaxNumbers = int64_t{1} << 27;

bool Cancelled(const std::atomic<bool>* cancel) {
  return cancel != nullptr && cancel->load(std::memory_order_relaxed);
}

// The component of every draw of block `block`.
std::vector<int> SampleComponents(const ModelState& state, uint64_t seed, int64_t block) {
  std::vector<int> result(kBlock, 0);
  if (state.components.size() == 1) return result;
  for (int64_t j = 0; j < kBlock; ++j) {
    double u = UniformAt({seed, RngPurpose::kComponent, static_cast<uint32_t>(block), 0},
                         static_cast<uint32_t>(j));
    int c = 0;
    for (const int last = static_cast<int>(state.components.size()) - 1; c < last; ++c) {
      u -= std::exp(state.components[c].log_weight);
      if (u < 0) break;
    }
    result[j] = c;
  }
  return result;
}

// All kBlock draws of a block.
Eigen::MatrixXd SampleBlock(const ModelState& state, uint64_t seed, int64_t block, Scratch& scratch,
                            Origin* origin) {
  origin->component = SampleComponents(state, seed, block);
  origin->epsilon.resize(state.components.front().family.latent_dim(), kBlock);
  Eigen::MatrixXd z(state.dim(), kBlock);
  ComponentSample sample;
  for (int c = 0; c < static_cast<int>(state.components.size()); ++c) {
    const int64_t count = std::count(origin->component.begin(), origin->component.end(), c);
    if (count == 0) continue;
    const Component& component = state.components[c];
    SampleComponent(component, seed, RngPurpose::kDrawLatent, RngPurpose::kDrawNoise,
                    static_cast<uint32_t>(block), static_cast<uint32_t>(c), count, scratch,
                    &sample);
    const Eigen::MatrixXd points = component.affine.Apply(sample.x);
    for (int64_t j = 0, next = 0; j < kBlock; ++j) {
      if (origin->component[j] != c) continue;
      z.col(j) = points.col(next);
      origin->epsilon.col(j) = sample.epsilon.col(next++);
    }
  }
  return z;
}

// Estimates log q̂ and log q̂₊ of the draws of a block, in groups that share inner samples.
class BlockDensity {
 public:
  BlockDensity(const ModelState& state, uint64_t seed, int64_t inner_samples, ThreadPool& pool,
               const std::atomic<bool>* cancel, Workspace& workspace)
      : state_(state),
        seed_(seed),
        inner_samples_(inner_samples),
        group_(SharesInnerSamples(state) ? kSharingDraws : kBlock),
        pool_(pool),
        cancel_(cancel),
        workspace_(workspace) {}

  // Of draws [first, first + count) of block `block`, at least; into log_q() and log_q_upper().
  void Run(const Eigen::MatrixXd& z, const Origin& origin, int64_t block, int64_t first,
           int64_t count) {
    log_q_.resize(kBlock);
    log_q_upper_.resize(kBlock);
    for (int64_t group = first / group_; group * group_ < first + count; ++group) {
      const int64_t begin = group * group_;
      part_.z = z.middleCols(begin, group_);
      part_.origin.epsilon = origin.epsilon.middleCols(begin, group_);
      part_.origin.component.assign(origin.component.begin() + begin,
                                    origin.component.begin() + begin + group_);
      EstimateMarginal({.state = &state_,
                        .z = &part_.z,
                        .origin = &part_.origin,
                        .seed = seed_,
                        .purpose = RngPurpose::kDrawInner,
                        .iteration = static_cast<uint32_t>(block * (kBlock / group_) + group),
                        .samples = inner_samples_,
                        .far_samples = FarSamples(inner_samples_),
                        .want_plus = true,
                        .cancel = cancel_},
                       pool_, workspace_, &marginal_);
      if (Cancelled(cancel_)) return;
      log_q_.segment(begin, group_) = marginal_.log_q_plus;
      log_q_upper_.segment(begin, group_) = marginal_.log_q;
    }
  }
  const Eigen::VectorXd& log_q() const { return log_q_; }
  const Eigen::VectorXd& log_q_upper() const { return log_q_upper_; }

 private:
  const ModelState& state_;
  const uint64_t seed_;
  const int64_t inner_samples_;
  const int64_t group_;
  ThreadPool& pool_;
  const std::atomic<bool>* const cancel_;
  Workspace& workspace_;
  struct {
    Eigen::MatrixXd z;
    Origin origin;
  } part_;
  MarginalEstimate marginal_;
  Eigen::VectorXd log_q_, log_q_upper_;  // kBlock
};

// log p̃ of the draws z, of which the first is number `first`. They are cut at multiples of what a
// call should have, whichever are asked for: a draw's density does not depend on its neighbours.
absl::Status EvaluateDensity(const Target& target, const Eigen::MatrixXd& z, int64_t first,
                             ThreadPool& pool, const std::atomic<bool>* cancel,
                             Eigen::VectorXd* log_p) {
  const int64_t count = z.cols(), each = target.PointsPerCall(kBlock);
  log_p->resize(count);
  if (count == 0) return absl::OkStatus();
  const int64_t first_shard = first / each, shards = (first + count - 1) / each - first_shard + 1;
  std::vector<absl::Status> status(static_cast<size_t>(shards));
  pool.ParallelFor(shards, [&](int64_t s, int) {
    absl::Status& here = status[static_cast<size_t>(s)];
    if (Cancelled(cancel)) {
      here = absl::CancelledError("cancelled while drawing");
      return;
    }
    const int64_t begin = s == 0 ? 0 : (first_shard + s) * each - first;
    const int64_t n = std::min(each - (first + begin) % each, count - begin);
    Eigen::VectorXd log_density;
    here = target.Evaluate(z.middleCols(begin, n), &log_density, nullptr);
    if (here.ok()) log_p->segment(begin, n) = log_density;
  });
  const auto failed =
      std::find_if(status.begin(), status.end(), [](const absl::Status& s) { return !s.ok(); });
  return failed == status.end() ? absl::OkStatus() : *failed;
}

absl::Status CheckDraw(const Model& model, const Target* target, int64_t first, int64_t count,
                       int64_t inner_samples) {
  if (first < 0) return absl::InvalidArgumentError("first: must not be negative");
  if (count < 0 || count > kMaxNumbers / model.dim()) {
    return absl::InvalidArgumentError(
        absl::StrCat("count: must be between 0 and ", kMaxNumbers / model.dim()));
  }
  if (inner_samples < 0 || inner_samples > (1 << 22)) {
    return absl::InvalidArgumentError("inner_samples: must be between 0 and 4194304");
  }
  if (target != nullptr && target->dim() != model.dim()) {
    return absl::InvalidArgumentError("target: its dimension is not that of the model");
  }
  return absl::OkStatus();
}

// Of a set: its log p̃ are those of the target, which is not asked again.
DrawBatch DrawFromSet(const DrawSet& set, uint64_t seed, int64_t first, int64_t count,
                      bool with_log_p, bool with_log_q) {
  DrawBatch batch;
  batch.z.resize(set.z.rows(), count);
  Eigen::VectorXd log_p(count);
  for (int64_t j = 0; j < count; ++j) {
    const int64_t index = IndexOfDraw(set.size(), seed, first + j);
    batch.z.col(j) = set.z.col(index);
    log_p[j] = set.log_p[index];
  }
  if (with_log_q) batch.log_q = batch.log_q_upper = log_p.array() - set.log_z;
  if (with_log_p) batch.log_p = std::move(log_p);
  return batch;
}

// What the weights beyond the largest of a tail of their shape would add to log Ẑ.
double UnseenExcess(const EvidenceEstimate& e) {
  if (std::isnan(e.pareto_k) || WeightsAreEqual(e)) return 0;
  const double excess = (e.largest_weight - 1) / static_cast<double>(e.draws);
  return std::min(1.0, excess * TailBeyond(e.pareto_k));
}

}  // namespace

absl::StatusOr<DrawBatch> Draw(const Model& model, const Target* target, uint64_t seed,
                               int64_t first, int64_t count, int64_t inner_samples,
                               ThreadPool& pool, const std::atomic<bool>* cancel) {
  if (absl::Status s = CheckDraw(model, target, first, count, inner_samples); !s.ok()) return s;
  if (model.state().IsDrawSet()) {
    return DrawFromSet(model.state().draws, seed, first, count, target != nullptr,
                       inner_samples > 0);
  }
  DrawBatch batch;
  batch.z.resize(model.dim(), count);
  if (inner_samples > 0) {
    batch.log_q.resize(count);
    batch.log_q_upper.resize(count);
  }
  if (SharesInnerSamples(model.state())) batch.groups = {kSharingDraws, first};
  Workspace workspace(pool);
  BlockDensity density(model.state(), seed, inner_samples, pool, cancel, workspace);
  Origin origin;
  for (int64_t done = 0; done < count;) {
    if (Cancelled(cancel)) return absl::CancelledError("cancelled while drawing");
    const int64_t block = (first + done) / kBlock, skip = (first + done) % kBlock;
    const int64_t n = std::min(kBlock - skip, count - done);
    const Eigen::MatrixXd z = SampleBlock(model.state(), seed, block, workspace.caller(), &origin);
    batch.z.middleCols(done, n) = z.middleCols(skip, n);
    if (inner_samples > 0) {
      density.Run(z, origin, block, skip, n);
      if (Cancelled(cancel)) return absl::CancelledError("cancelled while drawing");
      batch.log_q.segment(done, n) = density.log_q().segment(skip, n);
      batch.log_q_upper.segment(done, n) = density.log_q_upper().segment(skip, n);
    }
    done += n;
  }
  if (target == nullptr) return batch;
  if (absl::Status s = EvaluateDensity(*target, batch.z, first, pool, cancel, &batch.log_p);
      !s.ok()) {
    return s;
  }
  return batch;
}

bool WeightsAreEqual(const EvidenceEstimate& e) {
  constexpr double kEqualShare = 1 - 1e-6;
  return e.ess >= kEqualShare * static_cast<double>(e.draws);
}

EvidenceEstimate EvidenceFromDraws(const DrawBatch& draws, int64_t inner_samples) {
  EvidenceEstimate result;
  result.draws = draws.log_p.size();
  result.inner_samples = inner_samples;
  if (result.draws < 2) return result;
  Eigen::VectorXd log_weight = draws.log_p - draws.log_q;
  Eigen::VectorXd upper = draws.log_p - draws.log_q_upper;
  for (int64_t j = 0; j < result.draws; ++j) {
    if (std::isfinite(log_weight[j])) continue;
    log_weight[j] = upper[j] = -std::numeric_limits<double>::infinity();
    ++result.non_finite;
  }
  if (result.draws - result.non_finite < 2) return result;
  const ElboEstimate lower = ElboFromLogWeights(log_weight, draws.groups);
  result.elbo_lower = lower.value;
  result.elbo_lower_se = lower.standard_error;
  if ((upper.array() == std::numeric_limits<double>::infinity()).any()) {
    result.elbo_upper = std::numeric_limits<double>::infinity();  // some q̂ is 0: no bound
  } else {
    const ElboEstimate above = ElboFromLogWeights(upper, draws.groups);
    result.elbo_upper = above.value;
    result.elbo_upper_se = above.standard_error;
  }
  const double top = log_weight.maxCoeff();
  const Eigen::VectorXd w = (log_weight.array() - top).exp();
  const double n = static_cast<double>(result.draws), sum = w.sum();
  result.log_z = top + std::log(sum / n);
  result.ess = sum * sum / w.squaredNorm();
  result.largest_weight = n / sum;  // the largest is 1
  // A tail index beyond these says no more (all weights equal: −∞), and every reader of numbers can
  // take it. NaN stays: too few weights to tell.
  const double k = SmoothWeights(log_weight).k;
  result.pareto_k = WeightsAreEqual(result) ? -1 : std::isnan(k) ? k : std::clamp(k, -1.0, 10.0);
  const double seen = StandardError(w, draws.groups) / (sum / n);
  result.standard_error = std::hypot(seen, UnseenExcess(result));
  if (draws.groups.size == 1) return result;
  const double between = BetweenGroups(w, draws.groups) / (sum / n);
  if (std::isfinite(between)) result.ess = std::min(result.ess, n / (1 + n * between * between));
  return result;
}

absl::StatusOr<EvidenceEstimate> EstimateEvidence(const Model& model, const Target& target,
                                                  uint64_t seed, int64_t draws,
                                                  int64_t inner_samples, ThreadPool& pool,
                                                  const std::atomic<bool>* cancel) {
  if (draws < 2) return absl::InvalidArgumentError("draws: must be at least 2");
  if (inner_samples < 1) return absl::InvalidArgumentError("inner_samples: must be at least 1");
  if (!model.has_density()) {
    return absl::FailedPreconditionError(
        "model: a set of draws has no importance weights to estimate the evidence from");
  }
  absl::StatusOr<DrawBatch> batch =
      Draw(model, &target, seed, 0, draws, inner_samples, pool, cancel);
  if (!batch.ok()) return batch.status();
  return EvidenceFromDraws(*batch, inner_samples);
}

}  // namespace aisivi
