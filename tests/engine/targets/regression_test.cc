// Regression targets against their definitions, written out one observation at a time.
#include <gtest/gtest.h>

#include <Eigen/LU>
#include <cmath>

#include "tests/engine/targets/testing.h"

namespace aisivi {
namespace {

using test::LogNormal;

// Log prior of independent N(0, 1/precision).
double LogPrior(const Eigen::VectorXd& weights, double precision) {
  double sum = 0;
  for (double w : weights) sum += LogNormal(w, 0, 1 / precision);
  return sum;
}

// More rows and points than any internal tile.
constexpr int kRows = 1100, kFeatures = 4, kPoints = 150;

TEST(LogisticRegressionTest, EqualsScalarReference) {
  const Eigen::MatrixXd x = test::RandomMatrix(kRows, kFeatures, 1.0, 1);
  const Eigen::VectorXd y = (test::RandomMatrix(kRows, 1, 1.0, 2).array() > 0.3).cast<double>();
  const auto target =
      test::Make("logistic_regression", {{"x", x}, {"y", y}, {"prior_precision", 0.3}});
  const Eigen::MatrixXd beta = test::RandomMatrix(kFeatures, kPoints, 2.0, 3);
  const Eigen::VectorXd log_density = test::LogDensity(*target, beta);
  for (int n = 0; n < kPoints; n += 7) {
    double expected = LogPrior(beta.col(n), 0.3);
    for (int i = 0; i < kRows; ++i) {
      const double p = 1 / (1 + std::exp(-x.row(i).dot(beta.col(n))));
      expected += std::log(y(i) == 1 ? p : 1 - p);
    }
    EXPECT_NEAR(log_density(n), expected, 1e-9 * std::abs(expected));
  }
}

TEST(LogisticRegressionTest, StaysExactWhereProbabilitiesRound) {
  const auto target = test::Make("logistic_regression", {{"x", Eigen::MatrixXd{{1.0}, {1.0}}},
                                                         {"y", Eigen::VectorXd{{1.0, 0.0}}},
                                                         {"prior_precision", 1.0}});
  for (double b : {-900.0, 900.0}) {
    const Eigen::MatrixXd beta = Eigen::MatrixXd::Constant(1, 1, b);
    EXPECT_NEAR(test::LogDensity(*target, beta)(0), LogNormal(b, 0, 1) - std::abs(b), 1e-6);
    EXPECT_NEAR(test::Score(*target, beta)(0), -b - (b > 0 ? 1 : -1), 1e-9);
  }
}

TEST(LogisticRegressionTest, DefaultPrecisionAndNames) {
  TargetParameters parameters = (*FindTarget("logistic_regression"))->example;
  parameters["prior_precision"] = 0.01;
  const auto given = test::Make("logistic_regression", parameters);
  parameters.erase("prior_precision");
  const auto defaults = test::Make("logistic_regression", parameters);
  const Eigen::MatrixXd beta = test::RandomMatrix(2, 1, 1.0, 4);
  EXPECT_EQ(test::LogDensity(*given, beta), test::LogDensity(*defaults, beta));
  EXPECT_EQ(defaults->CoordinateNames(), (std::vector<std::string>{"beta[1]", "beta[2]"}));
}

TEST(PoissonRegressionTest, EqualsScalarReference) {
  const Eigen::MatrixXd x = test::RandomMatrix(kRows, kFeatures, 1.0, 1);
  const Eigen::VectorXd y = test::RandomMatrix(kRows, 1, 3.0, 2).array().abs().floor();
  const auto target =
      test::Make("poisson_regression", {{"x", x}, {"y", y}, {"prior_precision", 2.0}});
  const Eigen::MatrixXd beta = test::RandomMatrix(kFeatures, kPoints, 0.5, 3);
  const Eigen::VectorXd log_density = test::LogDensity(*target, beta);
  for (int n = 0; n < kPoints; n += 7) {
    double expected = LogPrior(beta.col(n), 2.0);
    for (int i = 0; i < kRows; ++i) {
      const double eta = x.row(i).dot(beta.col(n));
      expected += y(i) * eta - std::exp(eta) - std::lgamma(y(i) + 1);
    }
    EXPECT_NEAR(log_density(n), expected, 1e-9 * std::abs(expected));
  }
}

TEST(LinearRegressionTest, EqualsScalarReference) {
  const Eigen::MatrixXd x = test::RandomMatrix(30, 3, 1.0, 1);
  const Eigen::VectorXd y = test::RandomMatrix(30, 1, 2.0, 2);
  const double alpha = 0.7, a = 2.5, b = 1.3;
  const auto target = test::Make(
      "linear_regression",
      {{"x", x}, {"y", y}, {"prior_precision", alpha}, {"noise_shape", a}, {"noise_rate", b}});
  const Eigen::MatrixXd z = test::RandomMatrix(4, 20, 1.0, 3);
  const Eigen::VectorXd log_density = test::LogDensity(*target, z);
  for (int n = 0; n < z.cols(); ++n) {
    const double variance = std::exp(2 * z(3, n));
    // Inverse gamma density of σ², then the Jacobian 2σ² of log σ.
    double expected = a * std::log(b) - std::lgamma(a) - (a + 1) * std::log(variance) -
                      b / variance + std::log(2 * variance);
    for (int p = 0; p < 3; ++p) expected += LogNormal(z(p, n), 0, variance / alpha);
    for (int i = 0; i < 30; ++i) {
      expected += LogNormal(y(i), x.row(i).dot(z.col(n).head(3)), variance);
    }
    EXPECT_NEAR(log_density(n), expected, 1e-10 * std::abs(expected));
  }
  EXPECT_EQ(target->CoordinateNames().back(), "log_sigma");
}

// y ~ multivariate Student-t under the conjugate prior: its density is the evidence.
TEST(LinearRegressionTest, EvidenceIsTheMultivariateStudentDensity) {
  const Eigen::MatrixXd x = test::RandomMatrix(7, 2, 1.0, 1);
  const Eigen::VectorXd y = test::RandomMatrix(7, 1, 2.0, 2);
  const double alpha = 0.7, a = 2.5, b = 1.3;
  const TargetParameters parameters = {
      {"x", x}, {"y", y}, {"prior_precision", alpha}, {"noise_shape", a}, {"noise_rate", b}};
  // y has location 0, scale (b/a)(I + X Xᵀ/α) and 2a degrees of freedom.
  const Eigen::MatrixXd scale = Eigen::MatrixXd::Identity(7, 7) + x * x.transpose() / alpha;
  const Eigen::MatrixXd shape = scale * b / a;
  const double distance = y.dot(shape.inverse() * y);
  const double nu = 2 * a;
  const double expected =
      std::lgamma(0.5 * (nu + 7)) - std::lgamma(0.5 * nu) - 3.5 * std::log(nu * std::acos(-1.0)) -
      0.5 * std::log(shape.determinant()) - 0.5 * (nu + 7) * std::log1p(distance / nu);
  const TargetEntry& entry = **FindTarget("linear_regression");
  ASSERT_TRUE(entry.known_log_z(parameters).has_value());
  EXPECT_NEAR(*entry.known_log_z(parameters), expected, 1e-10);
}

TEST(BayesianNeuralNetworkTest, EqualsScalarReference) {
  const int rows = 600, features = 2, hidden = 3;
  const Eigen::MatrixXd x = test::RandomMatrix(rows, features, 1.0, 1);
  const Eigen::VectorXd y = test::RandomMatrix(rows, 1, 1.0, 2);
  const auto target =
      test::Make("bayesian_neural_network",
                 {{"x", x}, {"y", y}, {"hidden", double{hidden}}, {"prior_precision", 0.5}});
  ASSERT_EQ(target->dim(), hidden * (features + 2) + 2);
  const Eigen::MatrixXd z = test::RandomMatrix(target->dim(), 5, 1.0, 3);
  const Eigen::VectorXd log_density = test::LogDensity(*target, z);
  for (int n = 0; n < z.cols(); ++n) {
    const double log_sigma = z(target->dim() - 1, n), c = z(target->dim() - 2, n);
    double expected = LogPrior(z.col(n).head(target->dim() - 1), 0.5) + LogNormal(log_sigma, 0, 1);
    for (int i = 0; i < rows; ++i) {
      double f = c;
      for (int h = 0; h < hidden; ++h) {
        double activation = z(hidden * features + h, n);
        for (int p = 0; p < features; ++p) activation += z(p * hidden + h, n) * x(i, p);
        f += z(hidden * (features + 1) + h, n) * std::tanh(activation) / std::sqrt(double{hidden});
      }
      expected += LogNormal(y(i), f, std::exp(2 * log_sigma));
    }
    EXPECT_NEAR(log_density(n), expected, 1e-10 * std::abs(expected));
  }
  EXPECT_EQ(target->CoordinateNames()[1], "w[2,1]");
}

// Given μ and τ the posterior of η is Gaussian, so that p̃ / p(η | μ, τ, y) = p(y, μ, τ) with
// y_j ~ N(μ, τ² + s_j²).
TEST(EightSchoolsTest, AgreesWithTheMarginalModel) {
  const double effect[] = {28, 8, -3, 7, -1, 1, 18, 12};
  const double error[] = {15, 10, 16, 11, 9, 11, 10, 18};
  const auto target = test::Make("eight_schools");
  ASSERT_EQ(target->dim(), 10);
  Eigen::MatrixXd z = test::RandomMatrix(10, 10, 1.0, 9);
  z.row(0) *= 5;
  const Eigen::VectorXd log_density = test::LogDensity(*target, z);
  for (int n = 0; n < z.cols(); ++n) {
    const double mu = z(0, n), tau = std::exp(z(1, n));
    const double half_cauchy = 2 / (std::acos(-1.0) * 5 * (1 + tau * tau / 25));
    double expected = LogNormal(mu, 0, 25) + std::log(half_cauchy) + std::log(tau);
    for (int j = 0; j < 8; ++j) {
      const double variance = error[j] * error[j];
      const double shrink = tau / (tau * tau + variance);
      expected += LogNormal(effect[j], mu, tau * tau + variance);
      expected += LogNormal(z(2 + j, n), shrink * (effect[j] - mu), 1 - shrink * tau);
    }
    EXPECT_NEAR(log_density(n), expected, 1e-10 * std::abs(expected));
  }
}

}  // namespace
}  // namespace aisivi
