#include "engine/methods/elbo.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <vector>

#include "engine/methods/student.h"
#include "tests/engine/not_finite.h"

namespace aisivi {
namespace {

using test::kInfinity;
using test::kNan;

TEST(ElboTest, BadDrawsCountThroughTheirShare) {
  Eigen::VectorXd log_weights(4);
  log_weights << 1, 3, -kInfinity, kNan;
  const ElboEstimate elbo = ElboFromLogWeights(log_weights);
  EXPECT_NEAR(elbo.value, 2 + std::log(0.5), 1e-15);
  EXPECT_EQ(ElboFromLogWeights(Eigen::VectorXd::Constant(3, -kInfinity)).value, -kInfinity);
  log_weights << 1, kNan, kInfinity, -kInfinity;
  EXPECT_NEAR(ElboFromLogWeights(log_weights).value, 1 + std::log(0.25), 1e-15);
  EXPECT_TRUE(std::isnan(ElboFromLogWeights(log_weights).standard_error));
}

double Spread(const std::vector<double>& values) {
  const Eigen::Map<const Eigen::ArrayXd> v(values.data(), static_cast<int64_t>(values.size()));
  return std::sqrt((v - v.mean()).square().sum() / static_cast<double>(v.size() - 1));
}

// 30 % of the draws are bad, the others vary by 0.4: the standard error is the spread over seeds.
TEST(ElboTest, TheStandardErrorHoldsThatOfTheShare) {
  constexpr int64_t kDraws = 500;
  std::mt19937_64 random(1);
  std::normal_distribution<double> normal(2, 0.4);
  std::bernoulli_distribution bad(0.3);
  std::vector<double> values;
  double squares = 0;
  for (int run = 0; run < 4000; ++run) {
    Eigen::VectorXd log_weights(kDraws);
    for (double& v : log_weights) v = bad(random) ? -kInfinity : normal(random);
    const ElboEstimate elbo = ElboFromLogWeights(log_weights);
    values.push_back(elbo.value);
    squares += elbo.standard_error * elbo.standard_error / 4000;
  }
  EXPECT_NEAR(std::sqrt(squares), std::sqrt((0.16 + 0.3) / 0.7 / kDraws), 2e-4);
  EXPECT_NEAR(std::sqrt(squares) / Spread(values), 1, 0.04);
}

// Values that share half of their variance within groups of 16.
TEST(ElboTest, GroupsCarryTheirSharedError) {
  constexpr int64_t kDraws = 640, kSize = 16;
  std::mt19937_64 random(2);
  std::normal_distribution<double> normal;
  std::vector<double> means;
  double apart = 0, single = 0;
  int covered = 0;
  for (int run = 0; run < 3000; ++run) {
    Eigen::VectorXd values(kDraws);
    double shared = 0;
    for (int64_t j = 0; j < kDraws; ++j) {
      if (j % kSize == 0) shared = normal(random);
      values[j] = shared + normal(random);
    }
    means.push_back(values.mean());
    apart += std::pow(BetweenGroups(values, {kSize, 0}), 2) / 3000;
    single += std::pow(StandardError(values), 2) / 3000;
    covered += std::abs(values.mean()) < 1.96 * StandardError(values, {kSize, 0});
  }
  EXPECT_NEAR(std::sqrt(apart) / Spread(means), 1, 0.05);
  EXPECT_LT(std::sqrt(single), 0.4 * Spread(means));
  EXPECT_NEAR(covered / 3000.0, 0.95, 0.015);
}

TEST(ElboTest, GroupsBeginWhereTheDrawsDo) {
  Eigen::VectorXd values(6);
  values << 1, 1, -1, -1, 3, -3;
  // Draws 1 to 6 in groups of two: 1 | 2 3 | 4 5 | 6, with sums 1, 0, 2 and −3.
  EXPECT_NEAR(BetweenGroups(values, {2, 1}), std::sqrt(4.0 / 3 * 14) / 6, 1e-15);
  EXPECT_TRUE(std::isnan(StandardError(values, {64, 0})));
  EXPECT_GE(StandardError(values, {2, 1}), StandardError(values));
}

TEST(StudentTest, AgreesWithTheTables) {
  EXPECT_EQ(StudentReach(1), 12.706);
  EXPECT_EQ(StudentReach(15), 2.131);
  for (const auto& [degrees, reach] : {std::pair<int64_t, double>{16, 2.120},
                                       {20, 2.086},
                                       {30, 2.042},
                                       {60, 2.000},
                                       {120, 1.980},
                                       {1 << 20, 1.960}}) {
    EXPECT_NEAR(StudentReach(degrees), reach, 1.1e-3) << degrees;
  }
}

}  // namespace
}  // namespace aisivi
