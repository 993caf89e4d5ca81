// A model that is a set of draws: what can be had from it, and what cannot.
#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "engine/evidence/evidence.h"
#include "engine/evidence/log_density.h"
#include "engine/evidence/resample.h"
#include "tests/engine/evidence/testing.h"

namespace aisivi {
namespace {

constexpr double kLogZ = -1.5;
constexpr int64_t kSize = 300;

// Draw number n is at n.
std::shared_ptr<const Model> NumberedDraws() {
  DrawSet set;
  set.z = Eigen::RowVectorXd::LinSpaced(kSize, 0, kSize - 1);
  set.log_p = Eigen::VectorXd::LinSpaced(kSize, -10, -5);
  set.log_z = kLogZ;
  return test::MakeModel(std::move(set));
}

TEST(DrawSetModelTest, DrawsAreThoseOfTheSetWithEqualWeights) {
  ThreadPool pool(2);
  const auto target = test::LineGaussian(0, 1);
  const auto batch = Draw(*NumberedDraws(), target.get(), 5, 0, kSize, 8, pool);
  ASSERT_TRUE(batch.ok()) << batch.status();
  EXPECT_EQ(std::set<double>(batch->z.data(), batch->z.data() + kSize).size(), kSize);
  for (int64_t j = 0; j < kSize; ++j) {
    EXPECT_NEAR(batch->log_p[j], -10 + 5 * batch->z(0, j) / (kSize - 1), 1e-12)
        << "that of the set, whatever the target says";
    EXPECT_NEAR(batch->log_p[j] - batch->log_q[j], kLogZ, 1e-12);
  }
  EXPECT_EQ(batch->log_q_upper, batch->log_q);
  EXPECT_EQ(batch->groups.size, 1);
}

TEST(DrawSetModelTest, TheSequenceDoesNotDependOnItsCuts) {
  ThreadPool pool(2);
  const auto model = NumberedDraws();
  const auto whole = Draw(*model, nullptr, 5, 0, 1000, 0, pool);
  ASSERT_TRUE(whole.ok());
  EXPECT_EQ(whole->log_q.size(), 0);
  EXPECT_EQ(whole->log_p.size(), 0);
  for (const int64_t first : {0, 1, 299, 300, 777}) {
    const auto part = Draw(*model, nullptr, 5, first, 200, 1, pool);
    ASSERT_TRUE(part.ok());
    EXPECT_EQ(part->z, whole->z.middleCols(first, 200)) << first;
  }
  const auto other = Draw(*model, nullptr, 6, 0, 1000, 0, pool);
  EXPECT_NE(other->z, whole->z);
}

TEST(DrawSetModelTest, ResamplingLeavesItAsItIs) {
  ThreadPool pool(2);
  const auto draws = Resample(*NumberedDraws(), *test::LineGaussian(0, 1), 5, 500, 1, pool);
  ASSERT_TRUE(draws.ok()) << draws.status();
  EXPECT_EQ(draws->tail, Verdict::kGood);
  EXPECT_NEAR(draws->ess, static_cast<double>(draws->pool), 1e-6);
  EXPECT_NEAR(draws->z.mean(), (kSize - 1) / 2.0, 20);
}

TEST(DrawSetModelTest, WhatNeedsADensityIsRefused) {
  ThreadPool pool(1);
  const auto model = NumberedDraws();
  EXPECT_FALSE(model->has_density());
  const auto density = EvaluateLogDensity(*model, Eigen::MatrixXd::Zero(1, 2), 1, 4, pool);
  EXPECT_EQ(density.status().code(), absl::StatusCode::kFailedPrecondition);
  const auto evidence = EstimateEvidence(*model, *test::LineGaussian(0, 1), 1, 100, 4, pool);
  EXPECT_EQ(evidence.status().code(), absl::StatusCode::kFailedPrecondition);
}

}  // namespace
}  // namespace aisivi
