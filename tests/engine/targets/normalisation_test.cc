// Densities whose constants are claimed exact: their integrals, by the trapezoid rule, are Z.
#include <gtest/gtest.h>

#include <cmath>

#include "tests/engine/targets/testing.h"

namespace aisivi {
namespace {

struct Axis {
  double low, high;
  int count;
  double step() const { return (high - low) / (count - 1); }
  double at(int i) const { return low + i * step(); }
};

// log ∫ p̃ over the rectangle; the density must vanish at its border.
double LogIntegral(const Target& target, const Axis& first, const Axis& second) {
  double sum = 0;
  Eigen::MatrixXd z(2, second.count);
  for (int j = 0; j < second.count; ++j) z(1, j) = second.at(j);
  for (int i = 0; i < first.count; ++i) {
    z.row(0).setConstant(first.at(i));
    sum += test::LogDensity(target, z).array().exp().sum();
  }
  return std::log(sum * first.step() * second.step());
}

// known_log_z, or NaN.
double Known(const std::string& name, const TargetParameters& parameters = {}) {
  return (*FindTarget(name))->known_log_z(parameters).value_or(std::nan(""));
}

TEST(NormalisationTest, Banana) {
  const auto target = test::Make("banana");
  EXPECT_NEAR(LogIntegral(*target, {-7, 7, 281}, {-60, 8, 1361}), 0, 1e-8);
  EXPECT_EQ(Known("banana"), 0);
}

TEST(NormalisationTest, Multimodal) {
  EXPECT_NEAR(LogIntegral(*test::Make("multimodal"), {-10, 10, 201}, {-8, 8, 161}), 0, 1e-8);
  EXPECT_EQ(Known("multimodal"), 0);
}

TEST(NormalisationTest, XShaped) {
  EXPECT_NEAR(LogIntegral(*test::Make("x_shaped"), {-12, 12, 481}, {-12, 12, 481}), 0, 1e-8);
  EXPECT_EQ(Known("x_shaped"), 0);
}

TEST(NormalisationTest, EightGaussians) {
  const auto target = test::Make("eight_gaussians");
  EXPECT_NEAR(LogIntegral(*target, {-9, 9, 361}, {-9, 9, 361}), 0, 1e-8);
  EXPECT_EQ(Known("eight_gaussians"), 0);
}

TEST(NormalisationTest, EightBananas) {
  const auto target = test::Make("eight_bananas");
  EXPECT_NEAR(LogIntegral(*target, {-60, 60, 1601}, {-60, 60, 1601}), 0, 1e-8);
  EXPECT_EQ(Known("eight_bananas"), 0);
}

TEST(NormalisationTest, GaussianGrid) {
  const auto target = test::Make("gaussian_grid");
  EXPECT_NEAR(LogIntegral(*target, {-8, 8, 401}, {-8, 8, 401}), 0, 1e-8);
  EXPECT_EQ(Known("gaussian_grid"), 0);
}

TEST(NormalisationTest, Gaussian) {
  const TargetParameters parameters = {
      {"mean", Eigen::VectorXd{{1.0, -2.0}}},
      {"covariance", Eigen::MatrixXd{{2.0, -0.9}, {-0.9, 0.7}}},
  };
  const auto target = test::Make("gaussian", parameters);
  EXPECT_NEAR(LogIntegral(*target, {-13, 15, 561}, {-10, 6, 321}), 0, 1e-8);
  EXPECT_EQ(Known("gaussian", parameters), 0);
}

TEST(NormalisationTest, GaussianMixture) {
  const TargetParameters& example = (*FindTarget("gaussian_mixture"))->example;
  const auto target = test::Make("gaussian_mixture", example);
  EXPECT_NEAR(LogIntegral(*target, {-12, 12, 481}, {-12, 12, 481}), 0, 1e-8);
}

TEST(NormalisationTest, StudentTMixed) {
  const TargetParameters parameters = {
      {"degrees_of_freedom", 10.0},
      {"scale", Eigen::MatrixXd{{2.0, 1.0}, {0.0, 0.5}}},
  };
  const auto target = test::Make("student_t", parameters);
  EXPECT_NEAR(LogIntegral(*target, {-150, 150, 1501}, {-60, 60, 1201}), 0, 1e-6);
  EXPECT_EQ(Known("student_t", parameters), 0);
}

// ν = 2 in one dimension, where the distribution function is ½ + z/(2√(2 + z²)).
TEST(NormalisationTest, StudentTWithTwoDegreesOfFreedom) {
  const auto target = test::Make("student_t", {{"dimension", 1.0}});
  const Axis axis{-3, 3, 60001};
  Eigen::MatrixXd z(1, axis.count);
  for (int i = 0; i < axis.count; ++i) z(0, i) = axis.at(i);
  const Eigen::ArrayXd density = test::LogDensity(*target, z).array().exp();
  const double inside = density.sum() - 0.5 * (density(0) + density(axis.count - 1));
  EXPECT_NEAR(inside * axis.step(), 3 / std::sqrt(11.0), 1e-8);
  EXPECT_EQ(test::Make("student_t")->dim(), 10);
}

// In coordinates (v, x e^{−v/2}) the funnel is a product, which a grid can follow.
TEST(NormalisationTest, Funnel) {
  const auto target = test::Make("funnel", {{"dimension", 2.0}});
  const Axis v{-21, 21, 421}, s{-8, 8, 161};
  double sum = 0;
  Eigen::MatrixXd z(2, s.count);
  for (int i = 0; i < v.count; ++i) {
    const double width = std::exp(0.5 * v.at(i));
    for (int j = 0; j < s.count; ++j) z.col(j) << v.at(i), width * s.at(j);
    sum += width * test::LogDensity(*target, z).array().exp().sum();
  }
  EXPECT_NEAR(std::log(sum * v.step() * s.step()), 0, 1e-8);
  EXPECT_EQ(Known("funnel"), 0);
  EXPECT_EQ(test::Make("funnel")->dim(), 10);
}

TEST(NormalisationTest, LinearRegressionEvidenceMatchesItsFormula) {
  const TargetParameters parameters = {
      {"x", Eigen::MatrixXd{{0.5}, {-1.2}, {0.3}, {1.4}, {-0.4}}},
      {"y", Eigen::VectorXd{{1.3, -0.9, 0.6, 2.4, 0.1}}},
      {"prior_precision", 0.5},
      {"noise_shape", 2.0},
      {"noise_rate", 1.5},
  };
  const auto target = test::Make("linear_regression", parameters);
  const double integral = LogIntegral(*target, {-40, 40, 8001}, {-5, 6, 551});
  EXPECT_NEAR(integral, Known("linear_regression", parameters), 1e-5);
}

TEST(NormalisationTest, ConditionedDiffusion) {
  const TargetParameters parameters = {
      {"steps", 2.0},
      {"time", 0.5},
      {"beta", 3.0},
      {"noise", 0.4},
      {"observations", Eigen::VectorXd{{0.8, -0.3}}},
  };
  const auto target = test::Make("conditioned_diffusion", parameters);
  const double integral = LogIntegral(*target, {-6, 6, 601}, {-6, 6, 601});
  EXPECT_NEAR(integral, Known("conditioned_diffusion", parameters), 1e-8);
}

TEST(NormalisationTest, EightGaussiansStandWhereTheyShould) {
  const auto target = test::Make("eight_gaussians");
  // At a centre the other seven are at least 6 sd away.
  const double peak = std::log(1.0 / (8 * 2 * std::acos(-1.0) * 0.25));
  const double diagonal = 4 / std::sqrt(2.0);
  EXPECT_NEAR(test::LogDensity(*target, Eigen::Vector2d(4, 0))(0), peak, 1e-6);
  EXPECT_NEAR(test::LogDensity(*target, Eigen::Vector2d(-diagonal, diagonal))(0), peak, 1e-6);
}

// Turned by 45° times its number, the k-th banana is (k + 1)/36 of the plain one where the others
// are negligible.
TEST(NormalisationTest, EightBananasStandWhereTheyShould) {
  const auto target = test::Make("eight_bananas", {{"radius", 20.0}});
  const auto banana = test::Make("banana");
  const Eigen::MatrixXd plain{{0.3, -1.2, 2.0}, {-1.0, -2.9, -5.5}};
  for (int k = 0; k < 8; ++k) {
    // The plain banana opens towards −z₂; turning that direction to the angle of the k-th one.
    const double turn = std::acos(-1.0) * (k / 4.0 + 0.5);
    Eigen::Matrix2d rotation;
    rotation << std::cos(turn), -std::sin(turn), std::sin(turn), std::cos(turn);
    const Eigen::MatrixXd moved = rotation * (plain.colwise() - Eigen::Vector2d(0, 20));
    const Eigen::VectorXd found = test::LogDensity(*target, moved);
    const Eigen::VectorXd expected =
        test::LogDensity(*banana, plain).array() + std::log((k + 1) / 36.0);
    EXPECT_LT((found - expected).cwiseAbs().maxCoeff(), 1e-9) << k;
  }
}

TEST(NormalisationTest, GaussianGridStandsWhereItShould) {
  const auto target = test::Make("gaussian_grid");
  const double peak = std::log(1.0 / (25 * 2 * std::acos(-1.0) * 0.09));
  EXPECT_NEAR(test::LogDensity(*target, Eigen::Vector2d(5, -2.5))(0), peak, 1e-6);
  EXPECT_NEAR(test::LogDensity(*target, Eigen::Vector2d(-5, 5))(0), peak, 1e-6);
}

TEST(NormalisationTest, KnownLogZIsAbsentElsewhere) {
  for (const char* name :
       {"logistic_regression", "poisson_regression", "bayesian_neural_network", "eight_schools"}) {
    const TargetEntry& entry = **FindTarget(name);
    EXPECT_FALSE(entry.known_log_z(entry.example).has_value()) << name;
  }
  EXPECT_FALSE((*FindTarget("gaussian"))->known_log_z({}).has_value());
}

}  // namespace
}  // namespace aisivi
