#include "engine/warmstart/low_rank_fit.h"

#include <gtest/gtest.h>

#include <cmath>

#include "engine/warmstart/gaussian_fit.h"
#include "tests/engine/warmstart/test_targets.h"

namespace aisivi {
namespace {

// N(mean, diag(v) + U Uᵀ), normalised, evaluated without a D×D matrix (Woodbury).
class LowRankGaussian : public Target {
 public:
  LowRankGaussian(int dim, int rank) : mean_(dim), variance_(dim), u_(dim, rank) {
    for (int i = 0; i < dim; ++i) {
      mean_[i] = std::sin(i);
      variance_[i] = std::exp(std::cos(3.0 * i));
      for (int r = 0; r < rank; ++r) u_(i, r) = 0.5 * std::sin((r + 1.3) * i + r);
    }
    const Eigen::MatrixXd small = Eigen::MatrixXd::Identity(rank, rank) +
                                  u_.transpose() * variance_.cwiseInverse().asDiagonal() * u_;
    inverse_ = small.inverse();
    log_constant_ = -0.5 * (variance_.array().log().sum() + std::log(small.determinant()) +
                            dim * std::log(2 * M_PI));
  }
  int dim() const override { return static_cast<int>(mean_.size()); }
  absl::Status Evaluate(const Eigen::Ref<const Eigen::MatrixXd>& z, Eigen::VectorXd* log_density,
                        Eigen::MatrixXd* score) const override {
    const Eigen::MatrixXd r = z.colwise() - mean_;
    const Eigen::MatrixXd scaled = variance_.cwiseInverse().asDiagonal() * r;
    const Eigen::MatrixXd solved = scaled - variance_.cwiseInverse().asDiagonal() *
                                                (u_ * (inverse_ * (u_.transpose() * scaled)));
    *log_density =
        (-0.5 * r.cwiseProduct(solved).colwise().sum().transpose().array()) + log_constant_;
    if (score != nullptr) *score = -solved;
    return absl::OkStatus();
  }
  Eigen::MatrixXd Covariance() const {
    Eigen::MatrixXd c = u_ * u_.transpose();
    c.diagonal() += variance_;
    return c;
  }
  const Eigen::VectorXd& mean() const { return mean_; }

 private:
  Eigen::VectorXd mean_, variance_;
  Eigen::MatrixXd u_, inverse_;
  double log_constant_;
};

TEST(LowRankFitTest, CorrectsTheDiagonalFitOfALowRankGaussian) {
  const LowRankGaussian target(60, 3);
  ThreadPool pool(2);
  Evaluator evaluator(target, pool, nullptr);
  const auto diagonal =
      FitDiagonal(evaluator, Eigen::VectorXd::Zero(60), Eigen::VectorXd::Ones(60), 1);
  ASSERT_TRUE(diagonal.ok()) << diagonal.status();
  const auto fit = FitLowRank(evaluator, *diagonal, 1);
  ASSERT_TRUE(fit.ok()) << fit.status();
  EXPECT_GE(fit->rank, 3);
  const Eigen::MatrixXd covariance = fit->gaussian.scale * fit->gaussian.scale.transpose();
  EXPECT_LT((covariance - target.Covariance()).norm(), 0.15 * target.Covariance().norm());
  EXPECT_LT((fit->gaussian.mean - target.mean()).norm(), 0.2);
}

TEST(LowRankFitTest, AnIndependentTargetNeedsNoCorrection) {
  const LowRankGaussian target(20, 0);
  ThreadPool pool(2);
  Evaluator evaluator(target, pool, nullptr);
  const auto diagonal =
      FitDiagonal(evaluator, Eigen::VectorXd::Zero(20), Eigen::VectorXd::Ones(20), 1);
  ASSERT_TRUE(diagonal.ok()) << diagonal.status();
  EXPECT_EQ(FitLowRank(evaluator, *diagonal, 1).status().code(),
            absl::StatusCode::kFailedPrecondition);
}

// Above the full-rank limit the candidates are diagonal, and diagonal plus low rank, which wins.
TEST(LowRankFitTest, LargeTargetsStartFromDiagonalPlusLowRank) {
  const LowRankGaussian target(520, 3);
  ThreadPool pool(2);
  std::vector<std::string> log;
  const auto fits = FitGaussianCandidates(target, 1, pool, nullptr, &log);
  ASSERT_TRUE(fits.ok()) << fits.status();
  EXPECT_NE(fits->front().how.find("plus rank"), std::string::npos) << fits->front().how;
  double best_diagonal = -INFINITY;
  for (const GaussianFit& fit : *fits) {
    if (fit.how.find("plus rank") == std::string::npos) {
      best_diagonal = std::fmax(best_diagonal, fit.elbo);
    }
  }
  // The evidence is 1: the ELBO is minus the gap.
  EXPECT_GT(fits->front().elbo, 0.3 * best_diagonal);
  EXPECT_GT(fits->front().elbo, -1.0);
}

}  // namespace
}  // namespace aisivi
