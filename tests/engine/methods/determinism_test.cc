#include <gtest/gtest.h>

#include <utility>
#include <vector>

#include "engine/methods/methods.h"
#include "tests/engine/methods/testing.h"

namespace aisivi {
namespace {

using test::MakeProblem;
using test::Normals;
using test::Problem;
using test::Random;
using test::RunPass;

void ExpectSameBits(const InnerEstimate& a, const InnerEstimate& b) {
  EXPECT_EQ(a.log_density, b.log_density);
  EXPECT_EQ(a.ess, b.ess);
  EXPECT_EQ(a.score, b.score);
}

TEST(DeterminismTest, SameBitsAtAnyThreadCount) {
  Random random(1);
  for (const auto& [network, coupling] : {std::pair{false, CouplingKind::kAffine},
                                          {true, CouplingKind::kAffine},
                                          {true, CouplingKind::kSpline}}) {
    const Problem problem = MakeProblem(
        {.dim = 3, .latent = 3, .sigma_network = network, .coupling = coupling}, random);
    for (const auto& [points, k] : {std::pair<int64_t, int64_t>{1, 5000},
                                    {5, 1},
                                    {5, 700},
                                    {128, 40},
                                    {128, 300},
                                    {128, 1}}) {
      const Eigen::MatrixXf x = Normals(3, points, 1, random).cast<float>();
      const Eigen::MatrixXf own = Normals(3, points, 1, random).cast<float>();
      for (const MethodEntry& method : MethodRegistry()) {
        if (method.estimate == nullptr) continue;
        if (!method.needs_proposal && coupling != CouplingKind::kAffine) continue;  // seen already
        const InnerRequest request{.family = &problem.family,
                                   .proposal = method.needs_proposal ? &problem.proposal : nullptr,
                                   .x = &x,
                                   .own_epsilon = method.uses_own_epsilon ? &own : nullptr,
                                   .seed = 3,
                                   .samples = k};
        const InnerEstimate one = RunPass(method.estimate, request, 1);
        ASSERT_TRUE(one.score.allFinite()) << method.name;
        for (const int threads : {2, 3, 8}) {
          ExpectSameBits(one, RunPass(method.estimate, request, threads));
        }
      }
    }
  }
}

TEST(DeterminismTest, AUsedWorkspaceGivesTheSameBits) {
  Random random(2);
  const Problem problem = MakeProblem({}, random);
  const Eigen::MatrixXf small = Normals(2, 3, 1, random).cast<float>();
  const Eigen::MatrixXf large = Normals(2, 90, 1, random).cast<float>();
  for (const MethodEntry& method : MethodRegistry()) {
    if (method.estimate == nullptr) continue;
    InnerRequest request{
        .family = &problem.family, .proposal = &problem.proposal, .x = &small, .samples = 400};
    const InnerEstimate fresh = RunPass(method.estimate, request);
    ThreadPool pool(2);
    Workspace workspace(pool);
    InnerEstimate estimate;
    request.x = &large;
    request.samples = 1000;
    method.estimate(request, pool, workspace, &estimate);
    request.x = &small;
    request.samples = 400;
    method.estimate(request, pool, workspace, &estimate);
    ExpectSameBits(fresh, estimate);
  }
}

TEST(DeterminismTest, EveryPartOfTheNameMatters) {
  Random random(3);
  const Problem problem = MakeProblem({}, random);
  const Eigen::MatrixXf x = Normals(2, 4, 1, random).cast<float>();
  for (const MethodEntry& method : MethodRegistry()) {
    if (method.estimate == nullptr) continue;
    const InnerRequest base{.family = &problem.family,
                            .proposal = &problem.proposal,
                            .x = &x,
                            .seed = 1,
                            .samples = 50};
    std::vector<InnerRequest> others(3, base);
    others[0].seed = 2;
    others[1].iteration = 1;
    others[2].purpose = RngPurpose::kDrawInner;
    const InnerEstimate one = RunPass(method.estimate, base);
    for (const InnerRequest& other : others) {
      EXPECT_NE(one.log_density, RunPass(method.estimate, other).log_density) << method.name;
    }
  }
}

TEST(MethodsTest, TheListNamesItsMethods) {
  for (const MethodEntry& method : MethodRegistry()) {
    const absl::StatusOr<const MethodEntry*> found = FindMethod(method.name);
    ASSERT_TRUE(found.ok());
    EXPECT_EQ(*found, &method);
    EXPECT_FALSE(method.doc.empty());
  }
  const absl::Status status = FindMethod("no such method").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  for (const MethodEntry& method : MethodRegistry()) {
    EXPECT_NE(status.message().find(method.name), absl::string_view::npos);
  }
}

}  // namespace
}  // namespace aisivi
