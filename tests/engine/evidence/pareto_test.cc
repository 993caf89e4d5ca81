#include "engine/evidence/pareto.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>
#include <vector>

#include "tests/engine/not_finite.h"

namespace aisivi {
namespace {

using test::kInfinity;

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

// Smoothing as the papers have it, in plain numbers: arXiv 1507.02646 and its appendix; Zhang &
// Stephens (2009), whose shape has the other sign.
struct Reference {
  double k;
  std::vector<double> log_weights;  // ascending
};
Reference SmoothByThePapers(const Eigen::VectorXd& log_weights) {
  std::vector<double> sorted(log_weights.begin(), log_weights.end());
  std::sort(sorted.begin(), sorted.end());
  const int s = static_cast<int>(sorted.size());
  const int tail = static_cast<int>(std::ceil(std::min(0.2 * s, 3 * std::sqrt(1.0 * s))));
  const double top = sorted.back(), threshold = std::exp(sorted[s - tail - 1] - top);
  std::vector<double> x;
  for (int i = s - tail; i < s; ++i) x.push_back(std::exp(sorted[i] - top) - threshold);
  const auto shape = [&](double theta) {  // of Zhang & Stephens
    double sum = 0;
    for (const double value : x) sum += std::log(1 - theta * value);
    return -sum / tail;
  };
  const int m = 30 + static_cast<int>(std::sqrt(1.0 * tail));
  const double quartile = x[static_cast<int>(tail / 4.0 + 0.5) - 1];
  std::vector<double> theta, likelihood;
  for (int j = 1; j <= m; ++j) {
    theta.push_back(1 / x.back() + (1 - std::sqrt(m / (j - 0.5))) / (3 * quartile));
    const double k = shape(theta.back());
    likelihood.push_back(tail * (std::log(theta.back() / k) + k - 1));
  }
  double mean = 0;
  for (int j = 0; j < m; ++j) {
    double others = 0;
    for (int i = 0; i < m; ++i) others += std::exp(likelihood[i] - likelihood[j]);
    mean += theta[j] / others;
  }
  const double raw = -shape(mean), sigma = -raw / mean;
  const double k = (tail * raw + 5) / (tail + 10.0);
  for (int z = 1; z <= tail; ++z) {
    const double quantile = threshold + sigma / k * (std::pow(1 - (z - 0.5) / tail, -k) - 1);
    sorted[s - tail + z - 1] = top + std::log(std::min(quantile, 1.0));
  }
  return {k, sorted};
}

class KnownTailTest : public ::testing::TestWithParam<double> {};

TEST_P(KnownTailTest, IsWhatThePapersSay) {
  for (const int n : {60, 500, 4096, 20000}) {
    for (uint32_t seed = 0; seed < 5; ++seed) {
      const Eigen::VectorXd raw = GpdLogWeights(GetParam(), n, seed);
      const Reference expected = SmoothByThePapers(raw);
      const ParetoSmoothing smooth = SmoothWeights(raw);
      EXPECT_NEAR(smooth.k, expected.k, 1e-9) << n;
      std::vector<double> sorted(smooth.log_weights.begin(), smooth.log_weights.end());
      std::sort(sorted.begin(), sorted.end());
      for (int i = 0; i < n; ++i) ASSERT_NEAR(sorted[i], expected.log_weights[i], 1e-8) << n;
    }
  }
}

TEST_P(KnownTailTest, FindsTheShape) {
  double sum = 0;
  constexpr int kRepeats = 50;
  for (int i = 0; i < kRepeats; ++i) sum += SmoothWeights(GpdLogWeights(GetParam(), 250000, i)).k;
  // 1500 tail weights: standard error (1 + k)/√1500 each.
  const double k = GetParam(), error = (1 + k) / std::sqrt(1500.0 * kRepeats);
  EXPECT_LT(error, 0.007);
  EXPECT_NEAR(sum / kRepeats, (1500 * k + 5) / 1510, 3.5 * error);
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
