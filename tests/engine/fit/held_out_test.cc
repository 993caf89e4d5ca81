#include "engine/fit/held_out.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "engine/fit/start.h"
#include "tests/engine/fit/testing.h"

namespace aisivi {
namespace {

using test::Make;
using test::Short;

// N(0, I), exactly.
ModelState StandardNormal(const Target& target, const FitOptions& options, ThreadPool& pool) {
  FitOptions plain = options;
  plain.warm_start = "none";
  std::vector<std::string> log;
  return StartModels(target, plain, pool, nullptr, &log)->starts.front().state;
}

HeldOut Look(const ModelState& state, const Target& target, const FitOptions& options,
             ThreadPool& pool) {
  return *EvaluateHeldOut(state, target, options, pool, nullptr);
}

// The draws are common: a state that is worse for certain is told from noise, though each ELBO by
// itself is not known so well.
TEST(HeldOutTest, ADifferenceIsKnownBetterThanItsTerms) {
  const auto target = Make("funnel");
  ThreadPool pool(2);
  const FitOptions options = Short(200);
  const ModelState better = StandardNormal(*target, options, pool);
  ModelState worse = better;
  worse.components.front().affine.scale *= 1.003;
  const HeldOut a = Look(better, *target, options, pool), b = Look(worse, *target, options, pool);
  ASSERT_EQ(a.log_weight.size(), b.log_weight.size());
  const double paired = StandardErrorOfDifference(a, b);
  EXPECT_LT(b.elbo, a.elbo - 2 * paired);
  EXPECT_GT(b.elbo, a.elbo - 2 * StandardError(b.log_weight)) << "would do unpaired";
  EXPECT_DOUBLE_EQ(paired, StandardErrorOfDifference(b, a));
  EXPECT_NEAR(paired, StandardError(a.log_weight - b.log_weight), 1e-12);
  EXPECT_EQ(StandardErrorOfDifference(a, a), 0);
}

TEST(HeldOutTest, ADifferenceLeavesOutWhatIsNotFinite) {
  const double inf = std::numeric_limits<double>::infinity();
  HeldOut a, b;
  a.log_weight = Eigen::VectorXd::Zero(5);
  b.log_weight = Eigen::VectorXd::Zero(5);
  b.log_weight << -inf, 1, 3, std::numeric_limits<double>::quiet_NaN(), 5;
  // Σ (d − mean)² = 8; of 5 draws 3 count.
  EXPECT_NEAR(StandardErrorOfDifference(a, b), std::sqrt(8.0 / (5 * 4)) * 5 / 3, 1e-12);
  b.log_weight.tail(3).setConstant(-inf);
  EXPECT_EQ(StandardErrorOfDifference(a, b), 0);
  EXPECT_EQ(StandardErrorOfDifference(a, HeldOut()), 0);
}

// The numbers of such a state may be finite all the same: a hidden unit of NaN is one of 0.
TEST(HeldOutTest, AStateWithAParameterThatIsNotANumberIsTheWorst) {
  const auto target = Make("funnel");
  ThreadPool pool(2);
  const FitOptions options = Short(200);
  const ModelState fine = StandardNormal(*target, options, pool);
  ASSERT_TRUE(fine.components.front().has_proposal);
  ASSERT_TRUE(std::isfinite(Look(fine, *target, options, pool).elbo));
  for (const Eigen::Index at :
       {Eigen::Index{0}, fine.components.front().proposal.parameters().size() - 1}) {
    ModelState spoiled = fine;
    spoiled.components.front().proposal.parameters()[at] = std::numeric_limits<float>::quiet_NaN();
    EXPECT_EQ(Look(spoiled, *target, options, pool).elbo, -std::numeric_limits<double>::infinity())
        << at;
  }
}

TEST(HeldOutTest, OnlyAStateWhoseParametersAreFiniteIsAtTheCeiling) {
  const test::FailingTarget target(1'000'000);  // N(0, I)
  ThreadPool pool(2);
  const FitOptions options = Short(200);
  ModelState state = StandardNormal(target, options, pool);
  ASSERT_TRUE(Look(state, target, options, pool).at_ceiling);
  state.components.front().proposal.parameters()[0] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_FALSE(Look(state, target, options, pool).at_ceiling);
}

TEST(HeldOutTest, ItsSizeIsAMatterOfTheTrainingAlone) {
  FitOptions options;
  const HeldOutSize size = SizeOfHeldOut(options, true);
  EXPECT_EQ(size.draws, 4096);
  EXPECT_EQ(size.inner_samples, 128);
  options.evidence_draws = 2;
  options.evidence_inner_samples = 1;
  EXPECT_EQ(SizeOfHeldOut(options, true).draws, size.draws);
  EXPECT_EQ(SizeOfHeldOut(options, true).inner_samples, size.inner_samples);
}

// However long or short the training: enough draws to compare, and no look dearer than the steps
// between two of them unless they are fewer than these.
TEST(HeldOutTest, ItsSizeHasItsLimits) {
  for (const int64_t iterations : {0, 1, 160, 2000, 10000000}) {
    for (const int64_t k : {1, 64, 1 << 20}) {
      for (const bool has_proposal : {true, false}) {
        FitOptions options;
        options.iterations = iterations;
        options.inner_samples = k;
        const HeldOutSize size = SizeOfHeldOut(options, has_proposal);
        EXPECT_GE(size.draws, 512);
        EXPECT_LE(size.draws, 4096);
        EXPECT_GE(size.inner_samples, has_proposal ? 32 : 512);
        EXPECT_LE(size.inner_samples, has_proposal ? 128 : 4096);
        const int64_t steps = std::max<int64_t>(1, iterations / 16);
        EXPECT_LE(
            size.draws * size.inner_samples,
            std::max<int64_t>(steps * options.points * k, has_proposal ? 512 * 32 : 512 * 4096));
      }
    }
  }
}

}  // namespace
}  // namespace aisivi
