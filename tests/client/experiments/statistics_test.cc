#include "client/experiments/statistics.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace aisivi::experiments {
namespace {

// Student's sleep data (1908), as in R's `sleep`: the difference of two soporific drugs.
const std::vector<double> kSleep = {-1.2, -2.4, -1.3, -1.3, 0.0, -1.0, -1.8, -0.8, -4.6, -1.4};
// Hollander & Wolfe (1973), p. 29: depression scale factor, before − after.
const std::vector<double> kDepression = {1.83 - 0.878, 0.50 - 0.647, 1.62 - 0.598,
                                         2.48 - 2.05,  1.68 - 1.06,  1.88 - 1.29,
                                         1.55 - 1.06,  3.06 - 3.14,  1.30 - 1.29};

TEST(Statistics, LocationAndSpread) {
  EXPECT_DOUBLE_EQ(Mean({1, 2, 6}), 3);
  EXPECT_DOUBLE_EQ(SampleSd({1, 2, 6}), std::sqrt(7.0));
  EXPECT_DOUBLE_EQ(Median({6, 1, 2}), 2);
  EXPECT_DOUBLE_EQ(Median({6, 1, 2, 4}), 3);
  EXPECT_DOUBLE_EQ(Smallest({6, 1, 2}), 1);
  EXPECT_DOUBLE_EQ(Largest({6, 1, 2}), 6);
}

TEST(Statistics, OfNothingIsNaN) {
  EXPECT_TRUE(std::isnan(Mean({})));
  EXPECT_TRUE(std::isnan(SampleSd({1})));
  EXPECT_TRUE(std::isnan(Median({})));
  EXPECT_TRUE(std::isnan(Smallest({})));
  EXPECT_TRUE(std::isnan(Largest({})));
  EXPECT_TRUE(std::isnan(PairedTTest({1}).p));
  EXPECT_TRUE(std::isnan(SignedRankTest({}).p));
}

TEST(Statistics, FiniteLeavesTheRestOut) {
  EXPECT_EQ(Finite({1, std::nan(""), 2, INFINITY}), (std::vector<double>{1, 2}));
}

// Tables of the t distribution.
TEST(Student, KnownValues) {
  EXPECT_NEAR(StudentTwoSided(1, 1), 0.5, 1e-13);
  EXPECT_NEAR(StudentTwoSided(0, 7), 1, 1e-13);
  EXPECT_NEAR(StudentCritical(0.05, 1), 12.706204736, 1e-8);
  EXPECT_NEAR(StudentCritical(0.05, 9), 2.262157163, 1e-8);
  EXPECT_NEAR(StudentCritical(0.01, 30), 2.749995654, 1e-8);
  EXPECT_NEAR(StudentTwoSided(StudentCritical(1e-6, 4), 4), 1e-6, 1e-15);
}

// t.test(extra ~ group, data = sleep, paired = TRUE) in R.
TEST(PairedT, SleepData) {
  const PairedT test = PairedTTest(kSleep);
  EXPECT_NEAR(test.mean, -1.58, 1e-12);
  EXPECT_NEAR(test.t, -4.062128, 1e-6);
  EXPECT_EQ(test.degrees_of_freedom, 9);
  EXPECT_NEAR(test.p, 0.00283289, 1e-8);
  EXPECT_NEAR(test.interval.low, -2.4598858, 1e-7);
  EXPECT_NEAR(test.interval.high, -0.7001142, 1e-7);
}

// Anscombe's first set (American Statistician 1973): slope 0.5001, standard error 0.1179 with nine
// degrees of freedom.
TEST(Line, AnscombesFirstSet) {
  const std::vector<double> x = {10, 8, 13, 9, 11, 14, 6, 4, 12, 7, 5};
  const std::vector<double> y = {8.04, 6.95, 7.58, 8.81, 8.33, 9.96, 7.24, 4.26, 10.84, 4.82, 5.68};
  const Line line = FitLine(x, y);
  EXPECT_NEAR(line.slope, 0.5000909, 1e-6);
  EXPECT_NEAR(line.intercept, 3.0000909, 1e-6);
  EXPECT_NEAR(line.interval.high - line.slope, 2.262157163 * 0.1179055, 1e-5);
  EXPECT_NEAR(line.slope - line.interval.low, 2.262157163 * 0.1179055, 1e-5);
}

TEST(Line, OfFewPoints) {
  const Line two = FitLine({1, 3}, {5, 1});
  EXPECT_DOUBLE_EQ(two.slope, -2);
  EXPECT_DOUBLE_EQ(two.intercept, 7);
  EXPECT_EQ(two.interval.low, -INFINITY);
  EXPECT_EQ(two.interval.high, INFINITY);
  EXPECT_TRUE(std::isnan(FitLine({1}, {5}).slope));
  EXPECT_TRUE(std::isnan(FitLine({}, {}).slope));
  EXPECT_TRUE(std::isnan(FitLine({2, 2, 2}, {1, 2, 3}).slope)) << "x does not vary";
  const Line straight = FitLine({1, 2, 4}, {1, 2, 4});
  EXPECT_NEAR(straight.interval.low, 1, 1e-12);
  EXPECT_NEAR(straight.interval.high, 1, 1e-12);
}

TEST(PairedT, WithoutSpread) {
  EXPECT_EQ(PairedTTest({0, 0, 0}).p, 1);
  EXPECT_EQ(PairedTTest({0.5, 0.5, 0.5}).p, 0);
  EXPECT_EQ(PairedTTest({-0.5, -0.5}).t, -INFINITY);
  EXPECT_EQ(PairedTTest({0.5, 0.5}).interval.low, 0.5);
}

// wilcox.test(x, y, paired = TRUE) in R: V = 40, one-sided p = 0.01953.
TEST(SignedRank, DepressionData) {
  const SignedRank test = SignedRankTest(kDepression);
  EXPECT_EQ(test.w, 40);
  EXPECT_EQ(test.count, 9);
  EXPECT_NEAR(test.p, 2 * 10.0 / 512, 1e-12);
  EXPECT_NEAR(test.median, 0.46, 1e-9);  // Hollander & Wolfe, example 3.2
}

TEST(SignedRank, ZeroIsLeftOutAndTiesShareTheirRank) {
  const SignedRank test = SignedRankTest(kSleep);
  EXPECT_EQ(test.count, 9);
  EXPECT_EQ(test.w, 0);
  EXPECT_NEAR(test.p, 2.0 / 512, 1e-12);
  // |1| and |−1| have rank 1½ each: sums 0, 1½ (twice), 3, and the same with 3 added.
  EXPECT_EQ(SignedRankTest({1, -1, 2}).w, 4.5);
  EXPECT_NEAR(SignedRankTest({1, -1, 2}).p, 2 * 3.0 / 8, 1e-12);
}

TEST(SignedRank, IntervalNeedsEnoughSeeds) {
  // The smallest two-sided p of 5 is 1/16, of 6 it is 1/32.
  EXPECT_EQ(SignedRankTest({1, 2, 3, 4, 5}).interval.low, -INFINITY);
  EXPECT_NEAR(SignedRankTest({1, 2, 3, 4, 5}).p, 1.0 / 16, 1e-12);
  const SignedRank six = SignedRankTest({1, 2, 3, 4, 5, 6});
  EXPECT_NEAR(six.p, 1.0 / 32, 1e-12);
  EXPECT_EQ(six.interval.low, 1);
  EXPECT_EQ(six.interval.high, 6);
  EXPECT_EQ(six.median, 3.5);
}

// wilcox.test(…, conf.int = TRUE): without ties the interval leaves out qsignrank(0.025, n)
// averages less one at each end; qsignrank(0.025, 10) = 9.
TEST(SignedRank, IntervalOfTen) {
  const std::vector<double> d = {0.11, 0.25, -0.3, 0.47, 0.56, 0.68, 0.72, 0.93, 1.04, 1.2};
  std::vector<double> averages;
  for (size_t i = 0; i < d.size(); ++i) {
    for (size_t j = i; j < d.size(); ++j) averages.push_back(0.5 * (d[i] + d[j]));
  }
  std::sort(averages.begin(), averages.end());
  const SignedRank test = SignedRankTest(d);
  EXPECT_DOUBLE_EQ(test.interval.low, averages[8]);
  EXPECT_DOUBLE_EQ(test.interval.high, averages[averages.size() - 9]);
}

TEST(SignedRank, OnlyZeros) {
  EXPECT_EQ(SignedRankTest({0, 0, 0}).p, 1);
  EXPECT_EQ(SignedRankTest({0, 0, 0}).count, 0);
}

TEST(SignedRank, TheNormalApproximationContinuesTheExactTest) {
  std::mt19937_64 engine(3);
  std::normal_distribution<double> normal(0.3, 1);
  std::vector<double> d;
  while (d.size() < 50) d.push_back(normal(engine));
  const double exact = SignedRankTest(d).p;
  d.push_back(1e-9);  // the smallest rank: hardly a change
  const double approximate = SignedRankTest(d).p;
  EXPECT_NEAR(approximate, exact, 0.1 * exact);
}

}  // namespace
}  // namespace aisivi::experiments
