// Evaluates a target at many points, sharded over the pool, with bad points set aside.
//
// A batch of N points is cut into shards of as many columns as the target takes in one call
// (PointsPerCall()), whatever the number of threads. A point is bad when its log density is NaN or
// infinite or its score is not finite: its log density is then set to -inf and its score to zero.
#pragma once

#include <Eigen/Core>
#include <atomic>
#include <cstdint>
#include <functional>
#include <utility>

#include "absl/status/status.h"
#include "engine/methods/elbo.h"
#include "engine/parallel/thread_pool.h"
#include "engine/targets/target.h"
#include "engine/warmstart/affine_gaussian.h"

namespace aisivi {

struct Evaluation {
  Eigen::VectorXd log_density;  // N; -inf marks a bad point
  Eigen::MatrixXd score;        // D×N
  int64_t good = 0;             // number of points that are not bad
};

// Thread safety: one thread at a time.
class Evaluator {
 public:
  // All must outlive the evaluator; `cancel` may be null. evaluated: points that another one, whose
  // work this one goes on with, has evaluated.
  Evaluator(const Target& target, ThreadPool& pool, const std::atomic<bool>* cancel,
            int64_t evaluated = 0)
      : target_(target), pool_(pool), cancel_(cancel), evaluated_(evaluated) {}

  int64_t dim() const { return target_.dim(); }
  ThreadPool& pool() { return pool_; }
  // Points evaluated so far.
  int64_t evaluated() const { return evaluated_; }
  // Those of them that were evaluated here and whose score was asked for.
  int64_t scored() const { return scored_; }
  // Called after every batch, on the thread that asked for it.
  void OnEvaluated(std::function<void()> report) { report_ = std::move(report); }
  // OK, or CANCELLED once the flag is set.
  absl::Status CheckCancel() const;

  // log p̃(z) and ∇_z log p̃(z) at the columns of z (D×N). Error: the target's own, or CANCELLED.
  absl::Status Evaluate(const Eigen::Ref<const Eigen::MatrixXd>& z, Evaluation* out);

  // log p̃(z) alone, at the columns of z (D×N), which costs about half; -inf marks a bad point.
  absl::Status EvaluateDensity(const Eigen::Ref<const Eigen::MatrixXd>& z,
                               Eigen::VectorXd* log_density);

  // At z = b + A x for the columns of x (D×N); the score is that in x: Aᵀ ∇_z log p̃.
  absl::Status EvaluateNoise(const AffineGaussian& gaussian,
                             const Eigen::Ref<const Eigen::MatrixXd>& x, Evaluation* out);
  // The same of the density alone.
  absl::Status EvaluateNoiseDensity(const AffineGaussian& gaussian,
                                    const Eigen::Ref<const Eigen::MatrixXd>& x,
                                    Eigen::VectorXd* log_density);

 private:
  // gaussian: null where x is z itself; score: null for densities alone.
  absl::Status Run(const AffineGaussian* gaussian, const Eigen::Ref<const Eigen::MatrixXd>& x,
                   Eigen::VectorXd* log_density, Eigen::MatrixXd* score, int64_t* good);
  // The same for a shard that begins at column `first` of `score`.
  absl::Status RunShard(const AffineGaussian* gaussian, const Eigen::Ref<const Eigen::MatrixXd>& x,
                        Eigen::Ref<Eigen::VectorXd> log_density, Eigen::MatrixXd* score,
                        int64_t first, int64_t* good) const;
  // CheckCancel() after a report.
  absl::Status EndBatch() const;

  const Target& target_;
  ThreadPool& pool_;
  const std::atomic<bool>* cancel_;
  int64_t evaluated_;
  int64_t scored_ = 0;
  std::function<void()> report_;
};

}  // namespace aisivi
