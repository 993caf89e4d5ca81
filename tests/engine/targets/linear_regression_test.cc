// linear_regression with more features than observations: the same density and evidence, at a cost
// that follows the smaller side of x.
#include <gtest/gtest.h>

#include <Eigen/LU>
#include <cmath>

#include "tests/engine/allocations.h"
#include "tests/engine/targets/testing.h"

namespace aisivi {
namespace {

using test::LogNormal;

constexpr double kAlpha = 0.7, kShape = 2.5, kRate = 1.3;

TargetParameters Parameters(int rows, int features) {
  return {{"x", test::RandomMatrix(rows, features, 1.0, 1)},
          {"y", Eigen::VectorXd(test::RandomMatrix(rows, 1, 2.0, 2))},
          {"prior_precision", kAlpha},
          {"noise_shape", kShape},
          {"noise_rate", kRate}};
}

// y ~ multivariate Student-t under the conjugate prior: its density is the evidence.
double StudentDensity(const TargetParameters& parameters) {
  const auto& x = std::get<Eigen::MatrixXd>(parameters.at("x"));
  const auto& y = std::get<Eigen::VectorXd>(parameters.at("y"));
  const Eigen::Index n = x.rows();
  const Eigen::MatrixXd shape =
      (Eigen::MatrixXd::Identity(n, n) + x * x.transpose() / kAlpha) * kRate / kShape;
  const double nu = 2 * kShape, half = 0.5 * (nu + static_cast<double>(n));
  const double log_det = shape.fullPivLu().matrixLU().diagonal().array().abs().log().sum();
  return std::lgamma(half) - std::lgamma(0.5 * nu) -
         0.5 * static_cast<double>(n) * std::log(nu * std::acos(-1.0)) - 0.5 * log_det -
         half * std::log1p(y.dot(shape.inverse() * y) / nu);
}

class LinearRegressionShapes : public ::testing::TestWithParam<std::pair<int, int>> {};

TEST_P(LinearRegressionShapes, DensityIsItsDefinition) {
  const auto [rows, features] = GetParam();
  const TargetParameters parameters = Parameters(rows, features);
  const auto& x = std::get<Eigen::MatrixXd>(parameters.at("x"));
  const auto& y = std::get<Eigen::VectorXd>(parameters.at("y"));
  const auto target = test::Make("linear_regression", parameters);
  const Eigen::MatrixXd z = test::RandomMatrix(features + 1, 150, 1.0, 3);
  const Eigen::VectorXd log_density = test::LogDensity(*target, z);
  for (int n = 0; n < z.cols(); n += 7) {
    const double variance = std::exp(2 * z(features, n));
    double expected = kShape * std::log(kRate) - std::lgamma(kShape) -
                      (kShape + 1) * std::log(variance) - kRate / variance + std::log(2 * variance);
    for (int p = 0; p < features; ++p) expected += LogNormal(z(p, n), 0, variance / kAlpha);
    for (int i = 0; i < rows; ++i) {
      expected += LogNormal(y(i), x.row(i).dot(z.col(n).head(features)), variance);
    }
    EXPECT_NEAR(log_density(n), expected, 1e-10 * std::abs(expected));
  }
}

TEST_P(LinearRegressionShapes, ScoreIsTheGradient) {
  const auto [rows, features] = GetParam();
  const auto target = test::Make("linear_regression", Parameters(rows, features));
  const Eigen::VectorXd at = 0.3 * test::RandomMatrix(features + 1, 1, 1.0, 4);
  const Eigen::MatrixXd shift = 1e-5 * Eigen::MatrixXd::Identity(features + 1, features + 1);
  const Eigen::VectorXd slope = (test::LogDensity(*target, shift.colwise() + at) -
                                 test::LogDensity(*target, (-shift).colwise() + at)) /
                                2e-5;
  EXPECT_LT((test::Score(*target, at) - slope).norm(), 1e-6 * slope.norm());
}

TEST_P(LinearRegressionShapes, EvidenceIsTheMultivariateStudentDensity) {
  const TargetParameters parameters = Parameters(GetParam().first, GetParam().second);
  const std::optional<double> log_z = (*FindTarget("linear_regression"))->known_log_z(parameters);
  ASSERT_TRUE(log_z.has_value());
  EXPECT_NEAR(*log_z, StudentDensity(parameters), 1e-9);
}

INSTANTIATE_TEST_SUITE_P(TallSquareAndWide, LinearRegressionShapes,
                         ::testing::Values(std::pair(9, 4), std::pair(6, 6), std::pair(4, 9),
                                           std::pair(1, 30)));

TEST(LinearRegressionCostTest, OneObservationOfManyFeaturesTakesLittleMemory) {
  const TargetParameters parameters = Parameters(1, 9999);
  const int64_t bytes = 9999 * static_cast<int64_t>(sizeof(double));
  test::ResetPeak();
  const int64_t before = test::BytesInUse();
  const auto target = test::Make("linear_regression", parameters);
  const std::optional<double> log_z = (*FindTarget("linear_regression"))->known_log_z(parameters);
  const Eigen::MatrixXd z = Eigen::MatrixXd::Constant(10000, 1, 0.01);
  const Eigen::VectorXd log_density = test::LogDensity(*target, z);
  // The coordinates' names are four times as large as x.
  if (test::CountsAllocations()) {
    EXPECT_LT(test::PeakBytes() - before, 20 * bytes);
  }
  EXPECT_TRUE(std::isfinite(log_density(0)));
  ASSERT_TRUE(log_z.has_value());
  EXPECT_NEAR(*log_z, StudentDensity(parameters), 1e-9);
}

// A target of that many features is made without an array of more than its own size.
TEST(LinearRegressionCostTest, MakingATargetFactorisesNothing) {
  const TargetParameters parameters = Parameters(600, 500);
  test::ResetPeak();
  const int64_t before = test::BytesInUse();
  const auto target = test::Make("linear_regression", parameters);
  if (test::CountsAllocations()) {
    EXPECT_LT(test::PeakBytes() - before, 600 * 500 * 8 * 3 / 2);
  }
  EXPECT_EQ(target->dim(), 501);
}

}  // namespace
}  // namespace aisivi
