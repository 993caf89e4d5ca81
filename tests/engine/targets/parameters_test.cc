// What the targets say about bad parameters.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "tests/engine/targets/testing.h"

namespace aisivi {
namespace {

using ::testing::StartsWith;

// The example of `target` with one value replaced.
std::string ErrorWith(const std::string& target, const std::string& name,
                      const ParameterValue& value) {
  TargetParameters parameters = (*FindTarget(target))->example;
  parameters[name] = value;
  return test::Error(target, parameters);
}

TEST(ParametersTest, PlaceOfANonFiniteNumberIsTold) {
  Eigen::MatrixXd x = Eigen::MatrixXd::Ones(6, 2);
  x(2, 1) = std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ(ErrorWith("logistic_regression", "x", x), "x: row 3 column 2 is not finite");
  Eigen::VectorXd y = Eigen::VectorXd::Zero(6);
  y(4) = std::numeric_limits<double>::infinity();
  EXPECT_EQ(ErrorWith("logistic_regression", "y", y), "y: entry 5 is not finite");
}

TEST(ParametersTest, CovarianceMustBeACovariance) {
  const auto error = [](const Eigen::MatrixXd& covariance) {
    return ErrorWith("gaussian", "covariance", covariance);
  };
  EXPECT_EQ(error(Eigen::MatrixXd{{1, 2, 0}, {2, 1, 0}, {0, 0, 1}}),
            "covariance: not positive definite");
  EXPECT_EQ(error(Eigen::MatrixXd{{1, 0, 0}, {0, -1, 0}, {0, 0, 1}}),
            "covariance: not positive definite");
  EXPECT_EQ(error(Eigen::MatrixXd::Zero(3, 3)), "covariance: not positive definite");
  // Singular: the third row is the sum of the others.
  EXPECT_EQ(error(Eigen::MatrixXd{{0.1, 0.02, 0.12}, {0.02, 0.3, 0.32}, {0.12, 0.32, 0.44}}),
            "covariance: not positive definite");
  EXPECT_EQ(error(Eigen::MatrixXd{{1, 0.5, 0}, {0.4, 1, 0}, {0, 0, 1}}),
            "covariance: not symmetric");
  EXPECT_THAT(error(Eigen::MatrixXd::Identity(2, 2)), StartsWith("covariance: must be 3×3"));
  EXPECT_EQ(error(1e-14 * Eigen::MatrixXd::Identity(3, 3)), "");
}

TEST(ParametersTest, MixtureMustBeAMixture) {
  EXPECT_EQ(ErrorWith("gaussian_mixture", "weights", Eigen::VectorXd{{0.5, 0.6}}),
            "weights: sum to 1.1, not to 1");
  EXPECT_EQ(ErrorWith("gaussian_mixture", "weights", Eigen::VectorXd{{1.5, -0.5}}),
            "weights: entry 2 is not positive");
  EXPECT_THAT(ErrorWith("gaussian_mixture", "weights", Eigen::VectorXd{{1.0}}),
              StartsWith("means: has 2 rows"));
  const Eigen::MatrixXd good = Eigen::MatrixXd::Identity(2, 2);
  EXPECT_THAT(ErrorWith("gaussian_mixture", "covariances", std::vector<Eigen::MatrixXd>{good}),
              StartsWith("covariances: has 1 matrices"));
  EXPECT_EQ(ErrorWith("gaussian_mixture", "covariances",
                      std::vector<Eigen::MatrixXd>{good, Eigen::MatrixXd{{1, 2}, {2, 1}}}),
            "covariances: matrix 2 not positive definite");
}

TEST(ParametersTest, ResponsesMustFitTheModel) {
  EXPECT_EQ(ErrorWith("logistic_regression", "y", Eigen::VectorXd{{1, 0, 2, 0, 1, 0}}),
            "y: entry 3 is 2, not 0 or 1");
  EXPECT_EQ(ErrorWith("logistic_regression", "y", Eigen::VectorXd{{1, 0}}),
            "y: has 2 entries, x has 6 rows");
  EXPECT_THAT(ErrorWith("poisson_regression", "y", Eigen::VectorXd{{1, 0, 2, -1, 1}}),
              StartsWith("y: entry 4 is -1, not a count"));
  EXPECT_THAT(ErrorWith("poisson_regression", "y", Eigen::VectorXd{{1.5, 0, 2, 1, 1}}),
              StartsWith("y: entry 1 is 1.5, not a count"));
}

TEST(ParametersTest, ScalesMustBePositive) {
  for (const char* target : {"logistic_regression", "poisson_regression", "linear_regression",
                             "bayesian_neural_network"}) {
    for (double bad : {0.0, -1.0}) {
      EXPECT_THAT(ErrorWith(target, "prior_precision", bad),
                  StartsWith("prior_precision: must be between"));
    }
  }
  EXPECT_THAT(ErrorWith("linear_regression", "noise_rate", -1.0), StartsWith("noise_rate: "));
  EXPECT_THAT(ErrorWith("eight_gaussians", "sd", -1.0), StartsWith("sd: "));
  EXPECT_THAT(ErrorWith("student_t", "degrees_of_freedom", 0.0),
              StartsWith("degrees_of_freedom: "));
}

TEST(ParametersTest, StudentScaleMustHaveUnitDeterminant) {
  EXPECT_THAT(ErrorWith("student_t", "scale", (2 * Eigen::MatrixXd::Identity(2, 2)).eval()),
              StartsWith("scale: has determinant ±4"));
  EXPECT_THAT(ErrorWith("student_t", "scale", Eigen::MatrixXd::Zero(2, 2).eval()),
              StartsWith("scale: has determinant ±0"));
  EXPECT_THAT(ErrorWith("student_t", "scale", Eigen::MatrixXd::Ones(2, 3).eval()),
              StartsWith("scale: must be square"));
  EXPECT_THAT(ErrorWith("student_t", "dimension", 4.0), StartsWith("scale: must be 4×4"));
}

TEST(ParametersTest, DimensionIsBounded) {
  EXPECT_THAT(ErrorWith("bayesian_neural_network", "hidden", 5000.0),
              StartsWith("hidden: gives 20002 dimensions"));
  EXPECT_THAT(test::Error("funnel", {{"dimension", 10001.0}}), StartsWith("dimension: "));
  EXPECT_THAT(test::Error("gaussian", {{"mean", Eigen::VectorXd::Zero(10001).eval()},
                                       {"covariance", Eigen::MatrixXd::Identity(2, 2).eval()}}),
              StartsWith("mean: gives 10001 dimensions"));
  EXPECT_THAT(ErrorWith("logistic_regression", "x", Eigen::MatrixXd::Zero(6, 10001).eval()),
              StartsWith("x: gives 10001 dimensions"));
}

TEST(ParametersTest, AllThatAreWrongAreTold) {
  EXPECT_EQ(test::Error("logistic_regression", {{"nonsense", 1.0}, {"y", 2.0}}),
            "nonsense: unknown parameter; this target has: x, y, prior_precision\n"
            "y: must be a vector\nx: required (a matrix)");
  EXPECT_EQ(test::Error("logistic_regression", {{"x", Eigen::MatrixXd::Ones(2, 1).eval()},
                                                {"y", Eigen::VectorXd{{1, 2}}},
                                                {"prior_precision", -1.0}}),
            "y: entry 2 is 2, not 0 or 1\n"
            "prior_precision: must be between 1e-12 and 1e+12, not -1");
  EXPECT_EQ(test::Error("student_t", {{"degrees_of_freedom", 0.0},
                                      {"dimension", -4.0},
                                      {"scale", Eigen::MatrixXd::Ones(2, 3).eval()}}),
            "degrees_of_freedom: must be between 0.1 and 1e+06, not 0\n"
            "dimension: must be between 1 and 10000, not -4\nscale: must be square, not 2×3");
}

TEST(ParametersTest, WhatFollowsFromAnotherErrorIsNotTold) {
  EXPECT_EQ(test::Error("conditioned_diffusion",
                        {{"steps", 0.0}, {"observations", Eigen::VectorXd{{1, 2, 3}}}}),
            "steps: must be between 1 and 10000, not 0");
  EXPECT_EQ(test::Error("student_t",
                        {{"dimension", -4.0}, {"scale", Eigen::MatrixXd::Identity(2, 2).eval()}}),
            "dimension: must be between 1 and 10000, not -4");
}

TEST(ParametersTest, EmptyCountsAsMissing) {
  EXPECT_THAT(ErrorWith("logistic_regression", "x", Eigen::MatrixXd()), StartsWith("x: required"));
  EXPECT_THAT(ErrorWith("gaussian_mixture", "covariances", std::vector<Eigen::MatrixXd>()),
              StartsWith("covariances: required"));
}

}  // namespace
}  // namespace aisivi
