#include "engine/methods/target_values.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "engine/parallel/stopwatch.h"

namespace aisivi {
namespace {

constexpr int64_t kShardPoints = 32;  // per task of a target evaluation

}  // namespace

absl::Status EvaluateTarget(const Target& target, ThreadPool& pool, const Eigen::MatrixXd& z,
                            TargetValues* values) {
  const int64_t n = z.cols();
  const int64_t each = std::min(target.PointsPerCall(kShardPoints), std::max<int64_t>(1, n));
  const int64_t shards = (n + each - 1) / each;
  values->log_p.resize(n);
  values->score_p.resize(z.rows(), n);
  values->shards.resize(shards);
  const auto evaluate = [&](int64_t s, int) {
    const int64_t first = s * each, count = std::min(each, n - first);
    TargetValues::Shard& shard = values->shards[s];
    shard.status = target.Evaluate(z.middleCols(first, count), &shard.log_p, &shard.score);
    if (!shard.status.ok()) return;
    values->log_p.segment(first, count) = shard.log_p;
    values->score_p.middleCols(first, count) = shard.score;
  };
  if (shards == 1) {
    evaluate(0, 0);  // the pool has nothing to share, and may be busy for others
  } else {
    pool.ParallelFor(shards, evaluate);
  }
  for (const TargetValues::Shard& shard : values->shards) {
    if (!shard.status.ok()) return shard.status;
  }
  return absl::OkStatus();
}

TargetEvaluation::TargetEvaluation(const Target& target, ThreadPool& pool)
    : target_(target),
      pool_(pool),
      elsewhere_(target.PointsPerCall(kShardPoints) == Target::kWholeBatch) {
  if (elsewhere_) thread_ = std::thread([this] { AnswerLoop(); });
}

TargetEvaluation::~TargetEvaluation() {
  if (!elsewhere_) return;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void TargetEvaluation::Begin(const Eigen::MatrixXd& z) {
  Stopwatch watch;
  if (elsewhere_) {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [&] { return asked_ == nullptr; });
    asked_ = &z;
    changed_.notify_all();
  } else {
    status_ = EvaluateTarget(target_, pool_, z, &values_);
  }
  watch.Book(&seconds_);
}

absl::Status TargetEvaluation::Await() {
  Stopwatch watch;
  if (elsewhere_) {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [&] { return asked_ == nullptr; });
  }
  watch.Book(&seconds_);
  return status_;
}

double TargetEvaluation::TakeSeconds() { return std::exchange(seconds_, 0); }

void TargetEvaluation::AnswerLoop() {
  std::unique_lock<std::mutex> lock(mutex_);
  while (true) {
    changed_.wait(lock, [&] { return stopping_ || asked_ != nullptr; });
    if (asked_ == nullptr) return;
    const Eigen::MatrixXd& z = *asked_;
    lock.unlock();
    absl::Status status = EvaluateTarget(target_, pool_, z, &values_);
    lock.lock();
    status_ = std::move(status);
    asked_ = nullptr;
    changed_.notify_all();
  }
}

}  // namespace aisivi
