#include "engine/fit/learning_rates.h"

#include <gtest/gtest.h>

#include "engine/fit/progress.h"
#include "tests/engine/not_finite.h"

namespace aisivi {
namespace {

using test::kInfinity;

class LearningRatesTest : public testing::Test {
 protected:
  RateDecision Decide(double elbo, double gap, double best_elbo, double best_gap) const {
    return DecideRates(options_, Schedule(options_), rates_, {elbo, gap, 1}, best_elbo, best_gap);
  }
  FitOptions options_;
  LearningRates rates_;
};

TEST_F(LearningRatesTest, RiseWithTheElboUntilTheyAreHighOrItFell) {
  EXPECT_EQ(Decide(-1, 0.5, -kInfinity, kNotAvailable), RateDecision::kRaise);  // the first check
  EXPECT_EQ(Decide(-1, 0.5, -1.1, 0.6), RateDecision::kRaise);
  EXPECT_EQ(Decide(-1, 5, -1.1, 5.1), RateDecision::kKeep);  // little of its gap
  EXPECT_EQ(Decide(-1, 0.01, -1.01, 0.02), RateDecision::kKeep);
  for (const double expected : {1.5, 2.25, 3.375, 4.0}) {
    Raise(&rates_);
    EXPECT_DOUBLE_EQ(rates_.factor, expected);
  }
  EXPECT_EQ(Decide(-1, 0.5, -2, 1.5), RateDecision::kKeep);
  Halve(300, &rates_);
  EXPECT_DOUBLE_EQ(rates_.factor, 2);
  EXPECT_EQ(Decide(-1, 0.5, -2, 1.5), RateDecision::kKeep);
}

TEST_F(LearningRatesTest, AreHalvedWhereTheElboFallsBeyondNoise) {
  EXPECT_EQ(Decide(-1.1, 0.5, -1, 0.4), RateDecision::kKeep);
  EXPECT_EQ(Decide(-1.3, 0.5, -1, 0.4), RateDecision::kHalve);
  EXPECT_EQ(Decide(-1.03, 0.5, -1, kNotAvailable), RateDecision::kHalve);
  EXPECT_EQ(Decide(-kInfinity, kNotAvailable, -1, 0.4), RateDecision::kHalve);
  options_.adaptive = false;
  EXPECT_EQ(Decide(-1.3, 0.5, -1, 0.4), RateDecision::kHalve);
  EXPECT_EQ(Decide(-1, 0.5, -kInfinity, kNotAvailable), RateDecision::kKeep);
}

TEST_F(LearningRatesTest, ArePublishedOnesAlone) {
  options_.decay_every = 100;
  EXPECT_EQ(Decide(-1, 0.5, -kInfinity, kNotAvailable), RateDecision::kKeep);
  EXPECT_EQ(Decide(-100, 0.5, -1, 0.4), RateDecision::kKeep);
}

TEST_F(LearningRatesTest, RiseAgainAfterTheyWereHalved) {
  const Schedule schedule(options_);
  EXPECT_DOUBLE_EQ(RateFactor(rates_, schedule, 1000), 1);
  Halve(1000, &rates_);
  EXPECT_DOUBLE_EQ(RateFactor(rates_, schedule, 1000), 0.5 / 50);
  EXPECT_DOUBLE_EQ(RateFactor(rates_, schedule, 1024), 0.25);
  EXPECT_DOUBLE_EQ(RateFactor(rates_, schedule, 1100), 0.5);
}

}  // namespace
}  // namespace aisivi
