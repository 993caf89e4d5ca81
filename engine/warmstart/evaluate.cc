#include "engine/warmstart/evaluate.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "absl/strings/str_format.h"

namespace aisivi {
namespace {

constexpr int64_t kShardColumns = 64;
constexpr double kInfinity = std::numeric_limits<double>::infinity();

// Marks bad points; returns the number of good ones.
int64_t SetBadAside(Eigen::Ref<Eigen::VectorXd> log_density, Eigen::Ref<Eigen::MatrixXd> score) {
  int64_t good = 0;
  for (int64_t i = 0; i < log_density.size(); ++i) {
    if (std::isfinite(log_density[i]) && score.col(i).allFinite()) {
      ++good;
    } else {
      log_density[i] = -kInfinity;
      score.col(i).setZero();
    }
  }
  return good;
}

}  // namespace

absl::Status Evaluator::CheckCancel() const {
  if (cancel_ != nullptr && cancel_->load(std::memory_order_relaxed)) {
    return absl::CancelledError("the warm start was cancelled");
  }
  return absl::OkStatus();
}

absl::Status Evaluator::EndBatch() const {
  if (report_) report_();
  return CheckCancel();
}

absl::Status Evaluator::Evaluate(const Eigen::Ref<const Eigen::MatrixXd>& z, Evaluation* out) {
  return Run(nullptr, z, out);
}

absl::Status Evaluator::EvaluateDensity(const Eigen::Ref<const Eigen::MatrixXd>& z,
                                        Eigen::VectorXd* log_density) {
  const int64_t count = z.cols(), shards = (count + kShardColumns - 1) / kShardColumns;
  evaluated_ += count;
  log_density->resize(count);
  std::vector<absl::Status> status(static_cast<size_t>(shards));
  pool_.ParallelFor(shards, [&](int64_t shard, int) {
    const size_t index = static_cast<size_t>(shard);
    if (status[index] = CheckCancel(); !status[index].ok()) return;
    const int64_t first = shard * kShardColumns;
    const int64_t columns = std::min(kShardColumns, count - first);
    Eigen::VectorXd part;
    status[index] = target_.Evaluate(z.middleCols(first, columns), &part, nullptr);
    if (!status[index].ok()) return;
    if (part.size() != columns) {
      status[index] = absl::InternalError(absl::StrFormat(
          "the target returned %d log densities for %d points", part.size(), columns));
      return;
    }
    log_density->segment(first, columns) =
        part.unaryExpr([](double value) { return std::isfinite(value) ? value : -kInfinity; });
  });
  for (const absl::Status& each : status) {
    if (!each.ok()) return each;
  }
  return EndBatch();
}

absl::Status Evaluator::EvaluateNoise(const AffineGaussian& gaussian,
                                      const Eigen::Ref<const Eigen::MatrixXd>& x, Evaluation* out) {
  return Run(&gaussian, x, out);
}

absl::Status Evaluator::Run(const AffineGaussian* gaussian,
                            const Eigen::Ref<const Eigen::MatrixXd>& x, Evaluation* out) {
  const int64_t count = x.cols();
  const int64_t shards = (count + kShardColumns - 1) / kShardColumns;
  evaluated_ += count;
  out->log_density.resize(count);
  out->score.resize(x.rows(), count);
  std::vector<absl::Status> status(static_cast<size_t>(shards));
  std::vector<int64_t> good(static_cast<size_t>(shards), 0);
  pool_.ParallelFor(shards, [&](int64_t shard, int) {
    const size_t index = static_cast<size_t>(shard);
    if (status[index] = CheckCancel(); !status[index].ok()) return;
    const int64_t first = shard * kShardColumns;
    const int64_t columns = std::min(kShardColumns, count - first);
    Eigen::MatrixXd z = x.middleCols(first, columns);
    if (gaussian != nullptr) {
      z = (gaussian->scale.triangularView<Eigen::Lower>() * z).eval();
      z.colwise() += gaussian->mean;
    }
    Eigen::VectorXd log_density;
    Eigen::MatrixXd score;
    if (status[index] = target_.Evaluate(z, &log_density, &score); !status[index].ok()) return;
    if (log_density.size() != columns || score.rows() != x.rows() || score.cols() != columns) {
      status[index] = absl::InternalError(
          absl::StrFormat("the target returned %d log densities and a %d×%d score for %d points",
                          log_density.size(), score.rows(), score.cols(), columns));
      return;
    }
    good[index] = SetBadAside(log_density, score);
    out->log_density.segment(first, columns) = log_density;
    if (gaussian != nullptr) {
      score = (gaussian->scale.transpose().triangularView<Eigen::Upper>() * score).eval();
    }
    out->score.middleCols(first, columns) = score;
  });
  out->good = 0;
  for (size_t shard = 0; shard < status.size(); ++shard) {
    if (!status[shard].ok()) return status[shard];
    out->good += good[shard];
  }
  return EndBatch();
}

}  // namespace aisivi
