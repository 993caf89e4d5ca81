#include "engine/evidence/pareto.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <random>
#include <vector>

namespace aisivi {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// Log weights whose weights follow 1 + GPD(k, 1).
Eigen::VectorXd GpdLogWeights(double k, int n, uint32_t seed) {
  std::mt19937_64 random(seed);
  std::uniform_real_distribution<double> uniform(0, 1);
  Eigen::VectorXd result(n);
  for (double& value : result) {
    value = std::log1p((std::pow(1 - uniform(random), -k) - 1) / k);
  }
  return result;
}

class KnownTailTest : public ::testing::TestWithParam<double> {};

TEST_P(KnownTailTest, FindsTheShape) {
  double sum = 0;
  constexpr int kRepeats = 10;
  for (int i = 0; i < kRepeats; ++i) sum += SmoothWeights(GpdLogWeights(GetParam(), 40000, i)).k;
  // 600 tail weights: standard error (1 + k)/√600 ≤ 0.08 each, 0.025 on average.
  EXPECT_NEAR(sum / kRepeats, GetParam(), 0.1);
}

TEST_P(KnownTailTest, SmoothedWeightsKeepTheOrderAndTheBody) {
  const Eigen::VectorXd raw = GpdLogWeights(GetParam(), 2000, 7);
  const ParetoSmoothing smooth = SmoothWeights(raw);
  std::vector<int> order(2000);
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(), [&](int a, int b) { return raw[a] < raw[b]; });
  const int tail = static_cast<int>(std::ceil(3 * std::sqrt(2000.0)));
  int changed = 0;
  for (int i = 1; i < 2000; ++i) {
    EXPECT_LE(smooth.log_weights[order[i - 1]], smooth.log_weights[order[i]]);
    if (i < 2000 - tail) {
      EXPECT_EQ(smooth.log_weights[order[i]], raw[order[i]]);
    }
    changed += smooth.log_weights[order[i]] != raw[order[i]];
  }
  EXPECT_GT(changed, tail / 2);
  EXPECT_LE(smooth.log_weights.maxCoeff(), raw.maxCoeff());
}

INSTANTIATE_TEST_SUITE_P(Shapes, KnownTailTest, ::testing::Values(0.2, 0.5, 0.9));

TEST(ParetoTest, ShiftingAllLogWeightsShiftsTheResult) {
  const Eigen::VectorXd raw = GpdLogWeights(0.6, 5000, 3);
  const ParetoSmoothing a = SmoothWeights(raw);
  const ParetoSmoothing b = SmoothWeights(raw.array() - 5000.0);
  EXPECT_NEAR(a.k, b.k, 1e-8);
  EXPECT_NEAR((a.log_weights.array() - 5000 - b.log_weights.array()).abs().maxCoeff(), 0, 1e-8);
}

TEST(ParetoTest, LightTailsAreFarBelowTheThreshold) {
  std::mt19937_64 random(1);
  std::normal_distribution<double> normal;
  Eigen::VectorXd log_weights(10000);
  for (double& value : log_weights) value = 0.1 * normal(random);
  EXPECT_LT(SmoothWeights(log_weights).k, 0.2);
}

TEST(ParetoTest, ZeroWeightsStayZero) {
  Eigen::VectorXd raw = GpdLogWeights(0.5, 4000, 11);
  const double k = SmoothWeights(raw).k;
  Eigen::VectorXd padded(4400);
  padded << Eigen::VectorXd::Constant(400, -kInfinity), raw;
  const ParetoSmoothing smooth = SmoothWeights(padded);
  EXPECT_TRUE((smooth.log_weights.head(400).array() == -kInfinity).all());
  EXPECT_FALSE(smooth.log_weights.tail(4000).hasNaN());
  EXPECT_NEAR(smooth.k, k, 0.1);
}

TEST(ParetoTest, AlmostAllZeroIsStillFinite) {
  Eigen::VectorXd log_weights = Eigen::VectorXd::Constant(1000, -kInfinity);
  for (int i = 0; i < 20; ++i) log_weights[40 * i] = 0.1 * i;
  const ParetoSmoothing smooth = SmoothWeights(log_weights);
  EXPECT_TRUE(std::isfinite(smooth.k));
  EXPECT_TRUE((smooth.log_weights.array() < kInfinity).all());
}

TEST(ParetoTest, WeightsThatUnderflowAreNotTrusted) {
  const ParetoSmoothing smooth = SmoothWeights(Eigen::VectorXd::LinSpaced(400, -1e6, 0));
  EXPECT_GT(smooth.k, 0.7);
  EXPECT_FALSE(smooth.log_weights.hasNaN());
}

TEST(ParetoTest, DegenerateInput) {
  EXPECT_EQ(SmoothWeights(Eigen::VectorXd::Constant(100, -3)).k, -kInfinity);
  EXPECT_TRUE(std::isnan(SmoothWeights(Eigen::VectorXd(0)).k));
  EXPECT_TRUE(std::isnan(SmoothWeights(GpdLogWeights(0.5, 20, 1)).k));
  EXPECT_TRUE(std::isnan(SmoothWeights(Eigen::VectorXd::Constant(100, -kInfinity)).k));
  Eigen::VectorXd one = Eigen::VectorXd::Constant(100, -kInfinity);
  one[5] = 2;
  const ParetoSmoothing smooth = SmoothWeights(one);
  EXPECT_TRUE(std::isnan(smooth.k));
  EXPECT_EQ(smooth.log_weights[5], 2);
}

}  // namespace
}  // namespace aisivi
