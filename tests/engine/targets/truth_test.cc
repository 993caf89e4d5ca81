// The log evidence of real posteriors, by importance sampling around the mode, against the figures
// found independently with long runs (IS with 300k draws; particle filters).
#include <gtest/gtest.h>

#include <Eigen/Cholesky>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <sstream>

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

std::string SharedData(const std::string& file) {
  const char* folder = std::getenv("AISIVI_SHARED_DATA");
  return std::string(folder == nullptr ? AISIVI_SHARED_DATA : folder) + "/" + file;
}

// The rows of a CSV with a header line; `skip` leading columns are left out. Empty when absent.
Eigen::MatrixXd ReadCsv(const std::string& path, int skip) {
  std::ifstream file(path);
  std::string line, cell;
  std::vector<std::vector<double>> rows;
  std::getline(file, line);
  while (std::getline(file, line)) {
    std::stringstream cells(line);
    std::vector<double> row;
    for (int c = 0; std::getline(cells, cell, ','); ++c) {
      if (c >= skip) row.push_back(std::stod(cell));
    }
    rows.push_back(std::move(row));
  }
  Eigen::MatrixXd matrix(rows.size(), rows.empty() ? 0 : rows[0].size());
  for (size_t r = 0; r < rows.size(); ++r) {
    for (size_t c = 0; c < rows[r].size(); ++c) matrix(r, c) = rows[r][c];
  }
  return matrix;
}

TEST(TruthTest, ConditionedDiffusion) {
  const auto target = test::Make("conditioned_diffusion");
  // Nearly Gaussian: so should the proposal be.
  const Proposal proposal = FromMode(*target, Eigen::VectorXd::Constant(100, -0.9), 1e6);
  const Moments found = ImportanceSample(*target, proposal, 20000);
  EXPECT_NEAR(found.log_z, -0.696, 0.03);
}

TEST(TruthTest, LogisticRegression) {
  const Eigen::MatrixXd data = ReadCsv(SharedData("waveform_train.csv"), 0);
  if (data.size() == 0) GTEST_SKIP() << "no shared data";
  ASSERT_EQ(data.rows(), 400);
  ASSERT_EQ(data.cols(), 23);
  TargetParameters parameters = {{"y", Eigen::VectorXd(data.col(0))},
                                 {"x", Eigen::MatrixXd(data.rightCols(22))}};
  const auto wide = test::Make("logistic_regression", parameters);
  const Moments found = AdaptiveImportanceSample(*wide, 40000);
  EXPECT_NEAR(found.log_z, -150.383, 0.05);
  const Eigen::MatrixXd posterior = ReadCsv(SharedData("waveform_posterior.csv"), 1);
  ASSERT_EQ(posterior.rows(), 22);
  for (int p = 0; p < 22; ++p) {
    EXPECT_NEAR(found.mean(p), posterior(p, 0), 0.1 * posterior(p, 1)) << "beta." << p + 1;
  }
  parameters["prior_precision"] = 1.0;
  const auto narrow = test::Make("logistic_regression", parameters);
  EXPECT_NEAR(AdaptiveImportanceSample(*narrow, 40000).log_z, -115.831, 0.05);
}

}  // namespace
}  // namespace aisivi
