// The log evidence of real posteriors, by importance sampling around the mode, against the figures
// found with long runs (importance sampling; particle filters).
#include <gtest/gtest.h>

#include <Eigen/Cholesky>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "tests/csv.h"
#include "tests/engine/targets/testing.h"

namespace aisivi {
namespace {

// −∇² log p̃ by central differences of the score.
Eigen::MatrixXd Curvature(const Target& target, const Eigen::VectorXd& at) {
  const int dim = target.dim();
  const double step = 1e-5;
  const Eigen::MatrixXd shift = step * Eigen::MatrixXd::Identity(dim, dim);
  const Eigen::MatrixXd up = test::Score(target, shift.colwise() + at);
  const Eigen::MatrixXd down = test::Score(target, (-shift).colwise() + at);
  const Eigen::MatrixXd hessian = (up - down) / (2 * step);
  return -0.5 * (hessian + hessian.transpose());
}

// Multivariate Student-t with location `mean` and scale matrix `factor` `factor`ᵀ.
struct Proposal {
  Eigen::VectorXd mean;
  Eigen::MatrixXd factor;  // lower triangular
  double nu;               // degrees of freedom
};

// What a weighted sample says of the target.
struct Moments {
  double log_z;
  Eigen::VectorXd mean;
  Eigen::MatrixXd covariance;
};

// N(mode, H⁻¹) with heavier tails, by Newton's method.
Proposal FromMode(const Target& target, Eigen::VectorXd mode, double nu) {
  Eigen::LLT<Eigen::MatrixXd> llt;
  for (int i = 0; i < 30; ++i) {
    llt.compute(Curvature(target, mode));
    EXPECT_EQ(llt.info(), Eigen::Success);
    mode += llt.solve(test::Score(target, mode));
  }
  EXPECT_LT(test::Score(target, mode).cwiseAbs().maxCoeff(), 1e-6);
  const Eigen::MatrixXd identity = Eigen::MatrixXd::Identity(target.dim(), target.dim());
  return {mode, Eigen::MatrixXd(llt.solve(identity)).llt().matrixL(), nu};
}

Moments ImportanceSample(const Target& target, const Proposal& proposal, int draws) {
  const int dim = target.dim();
  const double nu = proposal.nu;
  std::mt19937_64 generator(7);
  std::chi_squared_distribution<double> chi_squared(nu);
  Eigen::MatrixXd t = test::RandomMatrix(dim, draws, 1.0, 11);
  for (int n = 0; n < draws; ++n) t.col(n) *= std::sqrt(nu / chi_squared(generator));
  const Eigen::MatrixXd z = (proposal.factor * t).colwise() + proposal.mean;
  const double log_constant = std::lgamma(0.5 * (nu + dim)) - std::lgamma(0.5 * nu) -
                              0.5 * dim * std::log(nu * std::acos(-1.0)) -
                              proposal.factor.diagonal().array().log().sum();
  const Eigen::ArrayXd squares = t.colwise().squaredNorm().transpose();
  const Eigen::ArrayXd log_weights = test::LogDensity(target, z).array() - log_constant +
                                     0.5 * (nu + dim) * (squares / nu).log1p();
  const double peak = log_weights.maxCoeff();
  const Eigen::VectorXd weights = (log_weights - peak).exp();
  const Eigen::VectorXd mean = z * weights / weights.sum();
  const Eigen::MatrixXd centred = z.colwise() - mean;
  return {peak + std::log(weights.sum() / draws), mean,
          centred * weights.asDiagonal() * centred.transpose() / weights.sum()};
}

// A first pass from the mode places the second, which answers.
Moments AdaptiveImportanceSample(const Target& target, int draws) {
  const Proposal first = FromMode(target, Eigen::VectorXd::Zero(target.dim()), 10);
  const Moments found = ImportanceSample(target, first, draws);
  return ImportanceSample(target, {found.mean, found.covariance.llt().matrixL(), 10}, draws);
}

TEST(TruthTest, ConditionedDiffusion) {
  const auto target = test::Make("conditioned_diffusion");
  // Nearly Gaussian: so should the proposal be.
  const Proposal proposal = FromMode(*target, Eigen::VectorXd::Constant(100, -0.9), 1e6);
  const Moments found = ImportanceSample(*target, proposal, 20000);
  EXPECT_NEAR(found.log_z, -0.696, 0.03);
}

struct LogisticCase {
  const char* file;
  double prior_precision, log_z;
};

class LogisticTruthTest : public ::testing::TestWithParam<LogisticCase> {};

TEST_P(LogisticTruthTest, LogZ) {
  const absl::StatusOr<test::Table> data =
      test::ReadCsv(absl::StrCat(AISIVI_EXAMPLE_DATA, "/", GetParam().file));
  ASSERT_TRUE(data.ok()) << data.status();
  const auto target = test::Make(
      "logistic_regression", {{"y", Eigen::VectorXd(data->rows.col(0))},
                              {"x", Eigen::MatrixXd(data->rows.rightCols(data->rows.cols() - 1))},
                              {"prior_precision", GetParam().prior_precision}});
  EXPECT_NEAR(AdaptiveImportanceSample(*target, 40000).log_z, GetParam().log_z, 0.05);
}

// Two million draws of Student-t proposals with 6 to 20 degrees of freedom agree to 0.002.
INSTANTIATE_TEST_SUITE_P(ExampleData, LogisticTruthTest,
                         ::testing::Values(LogisticCase{"challenger.csv", 0.01, -15.579},
                                           LogisticCase{"challenger.csv", 1, -12.912},
                                           LogisticCase{"waveform.csv", 0.01, -93.617},
                                           LogisticCase{"waveform.csv", 1, -61.502}));

}  // namespace
}  // namespace aisivi
