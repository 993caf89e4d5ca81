// A target gets as many points in a call as it wants: whole batches, the same at any number of
// threads and one at a time, or few.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <mutex>
#include <vector>

#include "tests/engine/fit/testing.h"

namespace aisivi {
namespace {

class RecordingTarget : public Target {
 public:
  // per_call 0: what is usual.
  explicit RecordingTarget(int64_t per_call) : inner_(test::Make("banana")), per_call_(per_call) {}
  int dim() const override { return inner_->dim(); }
  absl::Status Evaluate(const Eigen::Ref<const Eigen::MatrixXd>& z, Eigen::VectorXd* log_density,
                        Eigen::MatrixXd* score) const override {
    if (++inside_ > 1) overlapped_ = true;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      sizes_.push_back(z.cols());
    }
    absl::Status status = inner_->Evaluate(z, log_density, score);
    --inside_;
    return status;
  }
  int64_t PointsPerCall(int64_t usual) const override { return per_call_ > 0 ? per_call_ : usual; }

  bool overlapped() const { return overlapped_; }
  std::vector<int64_t> sizes() const { return sizes_; }

 private:
  const std::unique_ptr<const Target> inner_;
  const int64_t per_call_;
  mutable std::mutex mutex_;
  mutable std::vector<int64_t> sizes_;
  mutable std::atomic<int> inside_{0};
  mutable std::atomic<bool> overlapped_{false};
};

TEST(PointsPerCallTest, WholeBatchesComeWholeAndAlikeAtAnyNumberOfThreads) {
  for (const char* method : {"aisivi", "reference"}) {
    FitOptions options = test::Short(10);
    options.method = method;
    options.points = 200;
    options.reference_evaluations = 50'000;
    RecordingTarget one(Target::kWholeBatch), three(Target::kWholeBatch);
    ThreadPool single(1), several(3);
    const auto a = RunFit(one, options, single);
    const auto b = RunFit(three, options, several);
    ASSERT_TRUE(a.ok() && b.ok()) << a.status() << b.status();
    EXPECT_EQ(one.sizes(), three.sizes()) << method;
    EXPECT_FALSE(three.overlapped()) << method;
    EXPECT_EQ(a->model->Serialize(), b->model->Serialize()) << method;
    EXPECT_EQ(a->evidence.log_z, b->evidence.log_z) << method;
    const std::vector<int64_t> sizes = one.sizes();
    if (a->evidence.kind == EvidenceKind::kAnnealing) continue;
    // Steps of training, and the draws of the evidence.
    EXPECT_GE(std::count(sizes.begin(), sizes.end(), 200), 5);
    EXPECT_GE(std::count(sizes.begin(), sizes.end(), options.evidence_draws), 1);
  }
}

TEST(PointsPerCallTest, AreNeverMoreThanATargetOfExpensivePointsTakes) {
  for (const char* method : {"aisivi", "reference", "ksivi"}) {
    FitOptions options = test::Short(10);
    options.method = method;
    options.points = 200;
    options.reference_evaluations = 20'000;
    RecordingTarget few(3), usual(0);
    ThreadPool pool(2);
    const auto a = RunFit(few, options, pool);
    const auto b = RunFit(usual, options, pool);
    ASSERT_TRUE(a.ok() && b.ok()) << a.status() << b.status();
    for (const int64_t size : few.sizes()) ASSERT_LE(size, 3) << method;
    EXPECT_GT(few.sizes().size(), 2 * usual.sizes().size()) << method;
    // The densities of this target's points do not depend on their neighbours.
    EXPECT_TRUE(a->model->Serialize() == b->model->Serialize()) << method;
    EXPECT_EQ(a->evidence.log_z, b->evidence.log_z) << method;
  }
}

}  // namespace
}  // namespace aisivi
