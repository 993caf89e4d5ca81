#include "engine/fit/schedule.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace aisivi {
namespace {

FitOptions Iterations(int64_t iterations) {
  FitOptions options;
  options.iterations = iterations;
  return options;
}

// Runs the schedule with the ELBO and residual that `report` gives; returns the steps in all.
template <typename Report>
int64_t Play(Schedule& schedule, Report report) {
  int64_t done = 0;
  while (done < schedule.total()) {
    ++done;
    if (schedule.CheckDue(done)) schedule.RecordCheck(done, report(done));
  }
  return done;
}

TEST(ScheduleTest, PublishedDecayIsByStepsAndNeverSettles) {
  FitOptions options = Iterations(1000);
  options.decay = 0.5;
  options.decay_every = 100;
  Schedule schedule(options);
  EXPECT_EQ(Play(schedule, [](int64_t) { return CheckReport{-1, 0, 1}; }), 1000);
  EXPECT_FALSE(schedule.settled());
  EXPECT_DOUBLE_EQ(schedule.RateFactor(0), 1);
  EXPECT_DOUBLE_EQ(schedule.RateFactor(99), 1);
  EXPECT_DOUBLE_EQ(schedule.RateFactor(100), 0.5);
  EXPECT_DOUBLE_EQ(schedule.RateFactor(999), std::pow(0.5, 9));
}

TEST(ScheduleTest, ARisingElboUsesAllIterationsAndStillDescends) {
  Schedule schedule(Iterations(1600));
  const int64_t steps = Play(schedule, [](int64_t done) {
    return CheckReport{0.01 * done, 0.01, 1};
  });
  EXPECT_EQ(steps, 1600);
  EXPECT_FALSE(schedule.settled());
  EXPECT_TRUE(schedule.descending());
  EXPECT_DOUBLE_EQ(schedule.RateFactor(500), 1);
  EXPECT_LT(schedule.RateFactor(1599), 0.02);
}

TEST(ScheduleTest, ASettledElboEndsSoon) {
  Schedule schedule(Iterations(1600));
  const int64_t steps = Play(schedule, [](int64_t) { return CheckReport{-1, 0.01, 1}; });
  EXPECT_LT(steps, 800);
  EXPECT_TRUE(schedule.settled());
  // The rate only falls in the descent, and to its floor.
  double last = 1;
  for (int64_t i = 400; i < steps; ++i) {
    EXPECT_LE(schedule.RateFactor(i), last);
    last = schedule.RateFactor(i);
  }
  EXPECT_LT(last, 0.02);
  EXPECT_GT(last, 0.009);
}

TEST(ScheduleTest, AFallingResidualKeepsItGoing) {
  Schedule schedule(Iterations(1600));
  const int64_t steps = Play(schedule, [](int64_t done) {
    return CheckReport{-1, 0.01, 1000.0 / static_cast<double>(done)};
  });
  EXPECT_GT(steps, 800);
}

TEST(ScheduleTest, WhatIsNotFiniteIsNotSettled) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double inf = std::numeric_limits<double>::infinity();
  for (const CheckReport& report : {CheckReport{-inf, nan, 1}, CheckReport{-1, nan, nan}}) {
    Schedule schedule(Iterations(160));
    EXPECT_EQ(Play(schedule, [&](int64_t) { return report; }), 160);
    EXPECT_FALSE(schedule.settled());
  }
}

TEST(ScheduleTest, DescendsWithinTheStepsThatAreLeft) {
  Schedule schedule(Iterations(1600));
  schedule.DescendWithin(100, 20);
  EXPECT_EQ(schedule.total(), 120);
  EXPECT_LT(schedule.RateFactor(119), 0.05);
  schedule.DescendWithin(105, 5);
  EXPECT_EQ(schedule.total(), 110);
}

TEST(ScheduleTest, FewIterationsAreAllRight) {
  for (const int64_t iterations : {0, 1, 2, 15, 17}) {
    Schedule schedule(Iterations(iterations));
    EXPECT_LE(Play(schedule, [](int64_t) { return CheckReport{-1, 0, 1}; }), iterations);
    for (int64_t i = 0; i < iterations; ++i) {
      EXPECT_GT(schedule.RateFactor(i), 0);
      EXPECT_LE(schedule.RateFactor(i), 1);
    }
  }
}

}  // namespace
}  // namespace aisivi
