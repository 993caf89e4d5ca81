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

// Marks bad points; returns the number of good ones. score: D×N, or null for densities alone.
int64_t SetBadAside(Eigen::Ref<Eigen::VectorXd> log_density, Eigen::MatrixXd* score) {
  int64_t good = 0;
  for (int64_t i = 0; i < log_density.size(); ++i) {
    if (std::isfinite(log_density[i]) && (score == nullptr || score->col(i).allFinite())) {
      ++good;
      continue;
    }
    log_density[i] = -kInfinity;
    if (score != nullptr) score->col(i).setZero();
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
  return Run(nullptr, z, &out->log_density, &out->score, &out->good);
}

absl::Status Evaluator::EvaluateDensity(const Eigen::Ref<const Eigen::MatrixXd>& z,
                                        Eigen::VectorXd* log_density) {
  int64_t good = 0;
  return Run(nullptr, z, log_density, nullptr, &good);
}

absl::Status Evaluator::EvaluateNoise(const AffineGaussian& gaussian,
                                      const Eigen::Ref<const Eigen::MatrixXd>& x, Evaluation* out) {
  return Run(&gaussian, x, &out->log_density, &out->score, &out->good);
}

absl::Status Evaluator::EvaluateNoiseDensity(const AffineGaussian& gaussian,
                                             const Eigen::Ref<const Eigen::MatrixXd>& x,
                                             Eigen::VectorXd* log_density) {
  int64_t good = 0;
  return Run(&gaussian, x, log_density, nullptr, &good);
}

absl::Status Evaluator::RunShard(const AffineGaussian* gaussian,
                                 const Eigen::Ref<const Eigen::MatrixXd>& x,
                                 Eigen::Ref<Eigen::VectorXd> log_density, Eigen::MatrixXd* score,
                                 int64_t first, int64_t* good) const {
  const int64_t columns = x.cols();
  Eigen::MatrixXd z = x;
  if (gaussian != nullptr) {
    z = (gaussian->scale.triangularView<Eigen::Lower>() * z).eval();
    z.colwise() += gaussian->mean;
  }
  Eigen::VectorXd density_here;
  Eigen::MatrixXd score_here;
  const absl::Status status =
      target_.Evaluate(z, &density_here, score != nullptr ? &score_here : nullptr);
  if (!status.ok()) return status;
  const bool fits =
      score == nullptr || (score_here.rows() == x.rows() && score_here.cols() == columns);
  if (density_here.size() != columns || !fits) {
    return absl::InternalError(
        absl::StrFormat("the target returned %d log densities and a %d×%d score for %d points",
                        density_here.size(), score_here.rows(), score_here.cols(), columns));
  }
  *good = SetBadAside(density_here, score != nullptr ? &score_here : nullptr);
  log_density = density_here;
  if (score == nullptr) return absl::OkStatus();
  if (gaussian != nullptr) {
    score_here = (gaussian->scale.transpose().triangularView<Eigen::Upper>() * score_here).eval();
  }
  score->middleCols(first, columns) = score_here;
  return absl::OkStatus();
}

absl::Status Evaluator::Run(const AffineGaussian* gaussian,
                            const Eigen::Ref<const Eigen::MatrixXd>& x,
                            Eigen::VectorXd* log_density, Eigen::MatrixXd* score, int64_t* good) {
  const int64_t count = x.cols();
  const int64_t each = std::min(target_.PointsPerCall(kShardColumns), std::max<int64_t>(1, count));
  const int64_t shards = (count + each - 1) / each;
  evaluated_ += count;
  log_density->resize(count);
  if (score != nullptr) {
    scored_ += count;
    score->resize(x.rows(), count);
  }
  std::vector<absl::Status> status(static_cast<size_t>(shards));
  std::vector<int64_t> good_here(static_cast<size_t>(shards), 0);
  pool_.ParallelFor(shards, [&](int64_t shard, int) {
    const size_t index = static_cast<size_t>(shard);
    if (status[index] = CheckCancel(); !status[index].ok()) return;
    const int64_t first = shard * each, columns = std::min(each, count - first);
    status[index] = RunShard(gaussian, x.middleCols(first, columns),
                             log_density->segment(first, columns), score, first, &good_here[index]);
  });
  *good = 0;
  for (size_t shard = 0; shard < status.size(); ++shard) {
    if (!status[shard].ok()) return status[shard];
    *good += good_here[shard];
  }
  return EndBatch();
}

}  // namespace aisivi
