#include "engine/evidence/evidence.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/evidence/pareto.h"
#include "engine/methods/marginal.h"
#include "engine/model/model_state.h"
#include "engine/model/sampler.h"

namespace aisivi {
namespace {

constexpr int64_t kBlock = 256;  // draws made together; part of the meaning of a seed
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
    if (std::find(origin->component.begin(), origin->component.end(), c) ==
        origin->component.end()) {
      continue;
    }
    const Component& component = state.components[c];
    SampleComponent(component, seed, RngPurpose::kDrawLatent, RngPurpose::kDrawNoise,
                    static_cast<uint32_t>(block), static_cast<uint32_t>(c), kBlock, scratch,
                    &sample);
    const Eigen::MatrixXd points = component.affine.Apply(sample.x);
    for (int64_t j = 0; j < kBlock; ++j) {
      if (origin->component[j] != c) continue;
      z.col(j) = points.col(j);
      origin->epsilon.col(j) = sample.epsilon.col(j);
    }
  }
  return z;
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

double StandardError(const Eigen::VectorXd& values) {
  const double n = static_cast<double>(values.size());
  return std::sqrt((values.array() - values.mean()).square().sum() / (n - 1) / n);
}

// What the weights beyond the largest of a tail of their shape would add to log Ẑ.
double UnseenExcess(const EvidenceEstimate& e) {
  if (std::isnan(e.pareto_k)) return 0;
  const double excess = (e.largest_weight - 1) / static_cast<double>(e.draws);
  return std::min(1.0, excess * TailBeyond(e.pareto_k));
}

}  // namespace

absl::StatusOr<DrawBatch> Draw(const Model& model, const Target* target, uint64_t seed,
                               int64_t first, int64_t count, int64_t inner_samples,
                               ThreadPool& pool, const std::atomic<bool>* cancel) {
  if (absl::Status s = CheckDraw(model, target, first, count, inner_samples); !s.ok()) return s;
  DrawBatch batch;
  batch.z.resize(model.dim(), count);
  if (target != nullptr) batch.log_p.resize(count);
  if (inner_samples > 0) {
    batch.log_q.resize(count);
    batch.log_q_upper.resize(count);
  }
  Workspace workspace(pool);
  Origin origin;
  MarginalEstimate marginal;
  Eigen::VectorXd log_p;
  for (int64_t done = 0; done < count;) {
    if (Cancelled(cancel)) return absl::CancelledError("cancelled while drawing");
    const int64_t block = (first + done) / kBlock, skip = (first + done) % kBlock;
    const int64_t n = std::min(kBlock - skip, count - done);
    const Eigen::MatrixXd z = SampleBlock(model.state(), seed, block, workspace.caller(), &origin);
    batch.z.middleCols(done, n) = z.middleCols(skip, n);
    if (target != nullptr) {
      if (absl::Status s = target->Evaluate(z.middleCols(skip, n), &log_p, nullptr); !s.ok()) {
        return s;
      }
      batch.log_p.segment(done, n) = log_p;
    }
    if (inner_samples > 0) {
      EstimateMarginal({.state = &model.state(),
                        .z = &z,
                        .origin = &origin,
                        .seed = seed,
                        .purpose = RngPurpose::kDrawInner,
                        .iteration = static_cast<uint32_t>(block),
                        .samples = inner_samples,
                        .want_plus = true,
                        .cancel = cancel},
                       pool, workspace, &marginal);
      if (Cancelled(cancel)) return absl::CancelledError("cancelled while drawing");
      batch.log_q.segment(done, n) = marginal.log_q_plus.segment(skip, n);
      batch.log_q_upper.segment(done, n) = marginal.log_q.segment(skip, n);
    }
    done += n;
  }
  return batch;
}

EvidenceEstimate EvidenceFromDraws(const DrawBatch& draws, int64_t inner_samples) {
  EvidenceEstimate result;
  result.draws = draws.z.cols();
  result.inner_samples = inner_samples;
  if (result.draws < 2) return result;
  Eigen::VectorXd log_weight = draws.log_p - draws.log_q;
  std::vector<double> lower, upper;
  for (int64_t j = 0; j < result.draws; ++j) {
    if (!std::isfinite(log_weight[j])) {
      log_weight[j] = -std::numeric_limits<double>::infinity();
      ++result.non_finite;
      continue;
    }
    lower.push_back(log_weight[j]);
    upper.push_back(draws.log_p[j] - draws.log_q_upper[j]);
  }
  if (lower.size() < 2) return result;
  // Copies, because the order of Eigen's sums depends on where an array begins.
  const Eigen::VectorXd low = Eigen::Map<const Eigen::VectorXd>(lower.data(), lower.size());
  const Eigen::VectorXd high = Eigen::Map<const Eigen::VectorXd>(upper.data(), upper.size());
  result.elbo_lower = low.mean();
  result.elbo_lower_se = StandardError(low);
  result.elbo_upper = high.mean();
  result.elbo_upper_se = StandardError(high);
  const double top = low.maxCoeff();
  const Eigen::ArrayXd w = (log_weight.array() - top).exp();
  const double n = static_cast<double>(result.draws), sum = w.sum();
  result.log_z = top + std::log(sum / n);
  result.ess = sum * sum / w.square().sum();
  result.largest_weight = n / sum;  // the largest is 1
  // A tail index beyond these says no more (all weights equal: −∞), and every reader of numbers can
  // take it. NaN stays: too few weights to tell.
  const double k = SmoothWeights(log_weight).k;
  result.pareto_k = std::isnan(k) ? k : std::clamp(k, -1.0, 10.0);
  const double seen = StandardError(w.matrix()) / (sum / n);
  result.standard_error = std::hypot(seen, UnseenExcess(result));
  return result;
}

absl::StatusOr<EvidenceEstimate> EstimateEvidence(const Model& model, const Target& target,
                                                  uint64_t seed, int64_t draws,
                                                  int64_t inner_samples, ThreadPool& pool,
                                                  const std::atomic<bool>* cancel) {
  if (draws < 2) return absl::InvalidArgumentError("draws: must be at least 2");
  if (inner_samples < 1) return absl::InvalidArgumentError("inner_samples: must be at least 1");
  absl::StatusOr<DrawBatch> batch =
      Draw(model, &target, seed, 0, draws, inner_samples, pool, cancel);
  if (!batch.ok()) return batch.status();
  return EvidenceFromDraws(*batch, inner_samples);
}

}  // namespace aisivi
