#include "engine/evidence/log_density.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "absl/strings/str_cat.h"
#include "engine/methods/marginal.h"
#include "engine/methods/student.h"
#include "engine/model/model_state.h"

namespace aisivi {
namespace {

constexpr int64_t kBlock = 256;  // points evaluated together; part of the meaning of a seed
constexpr int64_t kBatches = 16;
constexpr int64_t kMaxInnerSamples = 1 << 22;
constexpr double kInfinity = std::numeric_limits<double>::infinity();

absl::Status Validate(const Model& model, const Eigen::Ref<const Eigen::MatrixXd>& z,
                      int64_t inner_samples) {
  if (z.rows() != model.dim()) {
    return absl::InvalidArgumentError(
        absl::StrCat("points: each must have ", model.dim(), " coordinates, not ", z.rows()));
  }
  if (!z.allFinite()) return absl::InvalidArgumentError("points: every coordinate must be finite");
  if (inner_samples < 1 || inner_samples > kMaxInnerSamples) {
    return absl::InvalidArgumentError(
        absl::StrCat("inner_samples: must be between 1 and ", kMaxInnerSamples));
  }
  return absl::OkStatus();
}

// What B batches say of m points.
struct Batches {
  Eigen::MatrixXd log_q, ess;  // B×m: log q̂_b, and the effective share of its samples
  Eigen::ArrayXd samples;      // B: K_b
};

struct Interval {
  double log_q, lower, upper;
};

Interval Combine(const Batches& all, int64_t point) {
  const double batches = static_cast<double>(all.samples.size());
  const double k = all.samples.sum();
  const double top = all.log_q.col(point).maxCoeff();
  if (!std::isfinite(top)) return {top, top, top};
  const Eigen::ArrayXd q = (all.log_q.col(point).array() - top).exp();
  const Eigen::ArrayXd ess = all.ess.col(point).array().max(1e-12);
  const Eigen::ArrayXd sums = q * all.samples;
  const double total = sums.sum(), mean = total / k;
  const double log_q = top + std::log(mean);
  if (batches < 2) return {log_q, -kInfinity, kInfinity};
  const double squares = (sums.square() / (ess * all.samples)).sum();
  const double within = std::max(0.0, squares / (total * total) - 1 / k);
  const double between = (q / mean - 1).square().sum() / (batches * (batches - 1));
  const double reach =
      StudentReach(static_cast<int64_t>(batches) - 1) * std::sqrt(std::max(within, between));
  const double surplus = std::max(0.0, q.maxCoeff() / q.sum() - 1 / batches);
  return {log_q, log_q - reach, log_q + std::log1p(reach + 2 * surplus)};
}

class Evaluation {
 public:
  Evaluation(const Model& model, uint64_t seed, int64_t inner_samples, ThreadPool& pool,
             const std::atomic<bool>* cancel)
      : model_(model), seed_(seed), pool_(pool), cancel_(cancel), workspace_(pool) {
    const int64_t batches = std::min(kBatches, inner_samples);
    all_.samples.resize(batches);
    for (int64_t b = 0; b < batches; ++b) {
      all_.samples[b] =
          static_cast<double>(inner_samples * (b + 1) / batches - inner_samples * b / batches);
    }
  }

  // Block number `block` of the points. False: cancelled.
  bool Run(const Eigen::MatrixXd& points, int64_t block) {
    all_.log_q.resize(all_.samples.size(), points.cols());
    all_.ess.resize(all_.samples.size(), points.cols());
    for (int64_t b = 0; b < all_.samples.size(); ++b) {
      EstimateMarginal({.state = &model_.state(),
                        .z = &points,
                        .seed = seed_,
                        .purpose = RngPurpose::kLogDensity,
                        .iteration = static_cast<uint32_t>(block * kBatches + b),
                        .samples = static_cast<int64_t>(all_.samples[b]),
                        .far_samples = FarSamples(static_cast<int64_t>(all_.samples[b])),
                        .cancel = cancel_},
                       pool_, workspace_, &marginal_);
      if (cancel_ != nullptr && cancel_->load(std::memory_order_relaxed)) return false;
      all_.log_q.row(b) = marginal_.log_q.transpose();
      all_.ess.row(b) = marginal_.ess.transpose();
    }
    return true;
  }

  const Batches& all() const { return all_; }

 private:
  const Model& model_;
  const uint64_t seed_;
  ThreadPool& pool_;
  const std::atomic<bool>* const cancel_;
  Workspace workspace_;
  MarginalEstimate marginal_;
  Batches all_;
};

}  // namespace

absl::StatusOr<LogDensityEstimate> EvaluateLogDensity(const Model& model,
                                                      const Eigen::Ref<const Eigen::MatrixXd>& z,
                                                      uint64_t seed, int64_t inner_samples,
                                                      ThreadPool& pool,
                                                      const std::atomic<bool>* cancel) {
  if (absl::Status s = Validate(model, z, inner_samples); !s.ok()) return s;
  if (!model.has_density()) {
    return absl::FailedPreconditionError(
        "model: the density of a set of draws is known at these draws only");
  }
  LogDensityEstimate result;
  result.log_q.resize(z.cols());
  result.lower.resize(z.cols());
  result.upper.resize(z.cols());
  Evaluation evaluation(model, seed, inner_samples, pool, cancel);
  for (int64_t first = 0, block = 0; first < z.cols(); first += kBlock, ++block) {
    const int64_t n = std::min(kBlock, z.cols() - first);
    if (!evaluation.Run(z.middleCols(first, n), block)) {
      return absl::CancelledError("cancelled while evaluating densities");
    }
    for (int64_t j = 0; j < n; ++j) {
      const Interval interval = Combine(evaluation.all(), j);
      result.log_q[first + j] = interval.log_q;
      result.lower[first + j] = interval.lower;
      result.upper[first + j] = interval.upper;
    }
  }
  return result;
}

}  // namespace aisivi
