// The target at points of a step, and the asking for it.
#pragma once

#include <Eigen/Core>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "engine/parallel/thread_pool.h"
#include "engine/targets/target.h"

namespace aisivi {

// Kept from step to step, so that a step allocates nothing.
struct TargetValues {
  Eigen::VectorXd log_p;    // m: log p̃(z)
  Eigen::MatrixXd score_p;  // D×m: ∇ log p̃(z)

  struct Shard {
    absl::Status status;
    Eigen::VectorXd log_p;
    Eigen::MatrixXd score;
  };
  std::vector<Shard> shards;  // what they are made in
};

// log_p and score_p at the columns of z, in shards over the pool or, where the target wants it so,
// in one batch. The target's own error.
absl::Status EvaluateTarget(const Target& target, ThreadPool& pool, const Eigen::MatrixXd& z,
                            TargetValues* values);

// A target that is asked while the step goes on. One that wants whole batches computes them
// elsewhere and is waited for by a thread of its own; what does not depend on the answer, log q̂
// above all, is made meanwhile. Others are evaluated at once, by the pool. The values are the same.
//
// Thread safety: one thread drives it.
class TargetEvaluation {
 public:
  // Both must outlive it.
  TargetEvaluation(const Target& target, ThreadPool& pool);
  // Waits for an evaluation that is under way.
  ~TargetEvaluation();
  TargetEvaluation(const TargetEvaluation&) = delete;
  TargetEvaluation& operator=(const TargetEvaluation&) = delete;

  // z must stay as it is until the values are there. Waits for an earlier evaluation.
  void Begin(const Eigen::MatrixXd& z);
  // Waits for the values. The target's own error; both until the next Begin().
  absl::Status Await();
  // Those of the last Begin(), once Await() has returned OK.
  const TargetValues& values() const { return values_; }
  // Seconds that Begin() and Await() have taken since this was last asked.
  double TakeSeconds();

 private:
  void AnswerLoop();

  const Target& target_;
  ThreadPool& pool_;
  const bool elsewhere_;
  TargetValues values_;
  absl::Status status_;
  double seconds_ = 0;

  std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  const Eigen::MatrixXd* asked_ = nullptr;  // under way; null: nothing is
  bool stopping_ = false;
  std::thread thread_;  // where elsewhere_
};

}  // namespace aisivi
