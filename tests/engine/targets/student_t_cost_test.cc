// What it takes to make a student_t target: its scale and one factorisation of it, no inverse.
#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "tests/engine/allocations.h"
#include "tests/engine/targets/testing.h"

namespace aisivi {
namespace {

Eigen::MatrixXd UnitLower(int dim) {
  Eigen::MatrixXd scale = test::RandomMatrix(dim, dim, 0.1, 1).triangularView<Eigen::UnitLower>();
  return scale;
}

TEST(StudentTCostTest, IsMadeWithoutAnInverse) {
  constexpr int kDim = 300;
  const TargetParameters parameters = {{"degrees_of_freedom", 3.0}, {"scale", UnitLower(kDim)}};
  test::ResetPeak();
  const int64_t before = test::BytesInUse();
  const auto target = test::Make("student_t", parameters);
  if (test::CountsAllocations()) {
    EXPECT_LT(test::PeakBytes() - before, kDim * kDim * 8 * 3 / 2);
  }
  const Eigen::MatrixXd t = test::RandomMatrix(kDim, 5, 1.0, 2);
  const Eigen::MatrixXd z = UnitLower(kDim) * t;
  const auto plain =
      test::Make("student_t", {{"degrees_of_freedom", 3.0}, {"dimension", double{kDim}}});
  EXPECT_TRUE(test::LogDensity(*target, z).isApprox(test::LogDensity(*plain, t), 1e-10));
}

TEST(StudentTCostTest, ThreadsThatComeFirstTogetherAgree) {
  constexpr int kDim = 50;
  const TargetParameters parameters = {{"degrees_of_freedom", 3.0}, {"scale", UnitLower(kDim)}};
  const auto target = test::Make("student_t", parameters);
  const Eigen::MatrixXd z = test::RandomMatrix(kDim, 3, 1.0, 2);
  std::vector<Eigen::VectorXd> found(4);
  std::vector<std::thread> threads;
  for (Eigen::VectorXd& result : found) {
    threads.emplace_back([&] { result = test::LogDensity(*target, z); });
  }
  for (std::thread& thread : threads) thread.join();
  for (const Eigen::VectorXd& result : found) EXPECT_EQ(result, found[0]);
}

}  // namespace
}  // namespace aisivi
