#include "engine/methods/target_values.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>

#include "tests/engine/family/testing.h"
#include "tests/engine/warmstart/test_targets.h"

namespace aisivi {
namespace {

using Eigen::MatrixXd;

PointTarget SomeTarget() {
  return GaussianTarget(Eigen::Vector3d(1, 2, 3), 2 * Eigen::Matrix3d::Identity());
}

// Wants whole batches and answers none before it is let.
class HeldTarget final : public Target {
 public:
  int dim() const override { return 3; }
  absl::Status Evaluate(const Eigen::Ref<const MatrixXd>& z, Eigen::VectorXd* log_density,
                        MatrixXd* score) const override {
    ++calls_;
    std::unique_lock<std::mutex> lock(mutex_);
    if (!changed_.wait_for(lock, std::chrono::seconds(30), [&] { return let_; })) {
      return absl::DeadlineExceededError("nobody lets it answer");
    }
    if (!failure_.ok()) return failure_;
    return whole_.Evaluate(z, log_density, score);
  }
  int64_t PointsPerCall(int64_t /*usual*/) const override { return kWholeBatch; }
  void Let(const absl::Status& failure = absl::OkStatus()) {
    const std::lock_guard<std::mutex> lock(mutex_);
    let_ = true;
    failure_ = failure;
    changed_.notify_all();
  }
  int calls() const { return calls_; }

 private:
  const PointTarget whole_ = SomeTarget();
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  bool let_ = false;
  absl::Status failure_;
  mutable std::atomic<int> calls_ = 0;
};

MatrixXd SomePoints(int64_t count) {
  test::Random random(1);
  return test::Normals(3, count, 1, random);
}

TEST(TargetEvaluationTest, ATargetElsewhereIsAskedWhileTheStepGoesOn) {
  ThreadPool pool(1);
  HeldTarget held;
  const PointTarget here = SomeTarget();
  TargetEvaluation elsewhere(held, pool), at_once(here, pool);
  const MatrixXd z = SomePoints(70);
  elsewhere.Begin(z);
  // The pool is free meanwhile.
  at_once.Begin(z);
  held.Let();
  ASSERT_TRUE(elsewhere.Await().ok()) << elsewhere.Await();
  ASSERT_TRUE(at_once.Await().ok());
  EXPECT_EQ(elsewhere.values().log_p, at_once.values().log_p);
  EXPECT_EQ(elsewhere.values().score_p, at_once.values().score_p);
  EXPECT_EQ(elsewhere.values().log_p.size(), 70);
  EXPECT_EQ(held.calls(), 1);
}

TEST(TargetEvaluationTest, OneAfterTheOtherEvenWhenNobodyWaited) {
  ThreadPool pool(1);
  HeldTarget held;
  held.Let();
  TargetEvaluation evaluation(held, pool);
  const MatrixXd a = SomePoints(5), b = SomePoints(9);
  evaluation.Begin(a);
  evaluation.Begin(b);
  ASSERT_TRUE(evaluation.Await().ok());
  EXPECT_EQ(evaluation.values().log_p.size(), 9);
  EXPECT_EQ(held.calls(), 2);
}

TEST(TargetEvaluationTest, TheErrorIsTheTargetsOwnUntilTheNext) {
  ThreadPool pool(1);
  HeldTarget held;
  held.Let(absl::AbortedError("target: no"));
  TargetEvaluation evaluation(held, pool);
  const MatrixXd z = SomePoints(2);
  evaluation.Begin(z);
  EXPECT_EQ(evaluation.Await(), absl::AbortedError("target: no"));
  EXPECT_EQ(evaluation.Await(), absl::AbortedError("target: no"));
  held.Let();
  evaluation.Begin(z);
  EXPECT_TRUE(evaluation.Await().ok());
}

TEST(TargetEvaluationTest, WaitsForWhatIsUnderWayWhenItGoes) {
  ThreadPool pool(1);
  HeldTarget held;
  const MatrixXd z = SomePoints(2);
  {
    TargetEvaluation evaluation(held, pool);
    evaluation.Begin(z);
    held.Let();
  }
  EXPECT_EQ(held.calls(), 1);
}

}  // namespace
}  // namespace aisivi
