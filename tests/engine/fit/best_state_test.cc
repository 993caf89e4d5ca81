#include "engine/fit/best_state.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace aisivi {
namespace {

// A state whose log weights differ from those of `best` by difference ± spread.
HeldOut Beside(const HeldOut& best, double difference, double spread) {
  HeldOut held_out = best;
  held_out.elbo += difference;
  for (int64_t j = 0; j < held_out.log_weight.size(); ++j) {
    held_out.log_weight[j] += difference + (j % 4 < 2 ? spread : -spread);
  }
  return held_out;
}

class BestStateTest : public testing::Test {
 protected:
  BestStateTest() {
    best_.model = ModelState();
    best_.held_out.elbo = -1;
    best_.held_out.log_weight.resize(400);
    for (int64_t j = 0; j < 400; ++j) best_.held_out.log_weight[j] = -1 + (j % 2 == 0 ? 10 : -10);
  }
  BestState best_;
};

TEST_F(BestStateTest, OnTheWayTheHigherElboIsBetter) {
  EXPECT_TRUE(IsBetter(Beside(best_.held_out, 1e-6, 1), /*last=*/false, best_));
  EXPECT_FALSE(IsBetter(Beside(best_.held_out, -1e-6, 1), /*last=*/false, best_));
}

// The standard error of the difference is 0.05 or 0.005; of each ELBO it is 0.5.
TEST_F(BestStateTest, TheLastStateIsKeptUnlessItIsWorseBeyondTheNoiseOfTheDifference) {
  EXPECT_TRUE(IsBetter(Beside(best_.held_out, -0.09, 1), /*last=*/true, best_));
  EXPECT_FALSE(IsBetter(Beside(best_.held_out, -0.11, 1), /*last=*/true, best_));
  EXPECT_TRUE(IsBetter(Beside(best_.held_out, -0.009, 0.1), /*last=*/true, best_));
  EXPECT_FALSE(IsBetter(Beside(best_.held_out, -0.011, 0.1), /*last=*/true, best_));
}

// A draw far out in a tail makes the error of the difference as large as the difference itself.
TEST_F(BestStateTest, ATailThatWasMetIsNoNoise) {
  EXPECT_TRUE(IsBetter(Beside(best_.held_out, -0.09, 100), /*last=*/true, best_));
  HeldOut held_out = best_.held_out;
  held_out.log_weight[7] -= 4e28;
  held_out.elbo -= 1e26;
  EXPECT_GT(2 * StandardErrorOfDifference(held_out, best_.held_out), 1e26);
  EXPECT_FALSE(IsBetter(held_out, /*last=*/true, best_));
  EXPECT_FALSE(IsBetter(Beside(best_.held_out, -0.11, 100), /*last=*/true, best_));
}

TEST_F(BestStateTest, WhatIsNotFiniteIsNeverBetter) {
  for (const double elbo :
       {-std::numeric_limits<double>::infinity(), std::numeric_limits<double>::quiet_NaN()}) {
    HeldOut held_out = best_.held_out;
    held_out.elbo = elbo;
    EXPECT_FALSE(IsBetter(held_out, false, best_));
    EXPECT_FALSE(IsBetter(held_out, true, best_));
    EXPECT_FALSE(IsBetter(held_out, true, BestState()));
  }
  EXPECT_TRUE(IsBetter(best_.held_out, false, BestState()));
}

}  // namespace
}  // namespace aisivi
