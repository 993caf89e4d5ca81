// Memory of a pass does not depend on K: counted at the allocator.
#include <gtest/gtest.h>

#include "tests/engine/allocations.h"
#include "tests/engine/methods/testing.h"

namespace aisivi {
namespace {

using test::MakeProblem;
using test::Normals;
using test::Problem;
using test::Random;

struct Usage {
  int64_t peak_bytes;    // above what was in use before
  int64_t second_calls;  // allocations of a second pass with the same workspace
};

Usage Measure(test::PassFunction pass, const InnerRequest& request) {
  ThreadPool pool(1);  // with more, chance decides how many scratches fill
  const int64_t before = test::BytesInUse();
  test::ResetPeak();
  Workspace workspace(pool);
  InnerEstimate estimate;
  pass(request, pool, workspace, &estimate);
  const int64_t peak = test::PeakBytes() - before;
  const int64_t calls = test::AllocationCalls();
  pass(request, pool, workspace, &estimate);
  return {peak, test::AllocationCalls() - calls};
}

TEST(MemoryTest, DoesNotDependOnK) {
  if (!test::CountsAllocations()) GTEST_SKIP() << "a sanitizer owns the allocator";
  Random random(1);
  const Problem problem = MakeProblem({.dim = 10, .latent = 10, .couplings = 2}, random);
  const Eigen::MatrixXf x = Normals(10, 4, 1, random).cast<float>();
  for (const test::PassFunction pass : {ProposalPass, PriorPass}) {
    InnerRequest request{
        .family = &problem.family, .proposal = &problem.proposal, .x = &x, .samples = 256};
    const Usage few = Measure(pass, request);
    request.samples = 65536;
    const Usage many = Measure(pass, request);
    ASSERT_GT(few.peak_bytes, 10000) << "the allocator is not being watched";
    EXPECT_LT(static_cast<double>(many.peak_bytes), 1.05 * static_cast<double>(few.peak_bytes));
    EXPECT_EQ(few.second_calls, 0);
    EXPECT_EQ(many.second_calls, 0);
  }
}

}  // namespace
}  // namespace aisivi
