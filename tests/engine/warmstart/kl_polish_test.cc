#include "engine/warmstart/kl_polish.h"

#include <gtest/gtest.h>

#include "engine/warmstart/diagonal_fit.h"
#include "tests/engine/warmstart/test_targets.h"

namespace aisivi {
namespace {

TEST(KlPolishTest, ExactOnAGaussianFromFarAway) {
  const Eigen::VectorXd mean = Eigen::VectorXd::LinSpaced(6, -30, 20);
  const Eigen::MatrixXd covariance = RandomCovariance(6, 1e3, 5);
  const PointTarget target = GaussianTarget(mean, covariance);
  ThreadPool pool(2);
  Evaluator evaluator(target, pool, nullptr);
  const absl::StatusOr<Polished> fit = PolishGaussian(evaluator, AffineGaussian::Isotropic(6, 1), 1,
                                                      {.draws = 64, .max_iterations = 100});
  ASSERT_TRUE(fit.ok()) << fit.status();
  EXPECT_TRUE(fit->gaussian.mean.isApprox(mean, 1e-8));
  EXPECT_TRUE((fit->gaussian.scale * fit->gaussian.scale.transpose()).isApprox(covariance, 1e-8));
  EXPECT_NEAR(fit->elbo, 0, 1e-9);
}

TEST(KlPolishTest, StationaryOnTheBananaOverFreshDraws) {
  const PointTarget target = BananaTarget();
  ThreadPool pool(2);
  Evaluator evaluator(target, pool, nullptr);
  const absl::StatusOr<Polished> fit =
      PolishGaussian(evaluator, AffineGaussian::Isotropic(2, 1), 1,
                     {.draws = 32768, .max_iterations = 200, .tolerance = 1e-9});
  ASSERT_TRUE(fit.ok()) << fit.status();
  const Eigen::MatrixXd x = MatchedNormals(9, DrawStream::kCompare, 0, 2, 200000);
  Evaluation evaluation;
  ASSERT_TRUE(evaluator.EvaluateNoise(fit->gaussian, x, &evaluation).ok());
  const Eigen::VectorXd m = evaluation.score.rowwise().mean();
  const Eigen::MatrixXd h = evaluation.score * x.transpose() / 200000;
  EXPECT_LT(m.norm(), 0.1);
  EXPECT_LT((0.5 * (h + h.transpose()) + Eigen::Matrix2d::Identity()).norm(), 0.15);
  EXPECT_NEAR(fit->elbo, -0.62, 0.03);
}

TEST(KlPolishTest, NeverEndsBelowItsStart) {
  const PointTarget target = BananaTarget();
  ThreadPool pool(2);
  Evaluator evaluator(target, pool, nullptr);
  double last = -std::numeric_limits<double>::infinity();
  for (int iterations : {1, 2, 4, 8, 16}) {
    const absl::StatusOr<Polished> fit =
        PolishGaussian(evaluator, AffineGaussian::Isotropic(2, 3), 1,
                       {.draws = 256, .max_iterations = iterations});
    ASSERT_TRUE(fit.ok());
    EXPECT_GE(fit->elbo, last);
    EXPECT_LE(fit->iterations, iterations);
    last = fit->elbo;
  }
}

TEST(KlPolishTest, GivesUpOnTargetsWithoutAMaximum) {
  ThreadPool pool(2);
  const PointTarget flat(2, [](const Eigen::VectorXd&, Eigen::VectorXd* score) {
    score->setZero();
    return 0.0;
  });
  Evaluator evaluator(flat, pool, nullptr);
  EXPECT_TRUE(absl::IsFailedPrecondition(
      PolishGaussian(evaluator, AffineGaussian::Isotropic(2, 1), 1, {.max_iterations = 60})
          .status()));
}

TEST(DiagonalFitTest, FindsTheBestDiagonalOfACorrelatedGaussian) {
  // KL(q‖p) over diagonal q is least at the target's mean and the inverse diagonal precision.
  const Eigen::VectorXd mean = Eigen::VectorXd::LinSpaced(5, -1, 3);
  const Eigen::MatrixXd covariance = RandomCovariance(5, 20, 6);
  const PointTarget target = GaussianTarget(mean, covariance);
  ThreadPool pool(2);
  Evaluator evaluator(target, pool, nullptr);
  const absl::StatusOr<DiagonalFit> fit =
      FitDiagonal(evaluator, Eigen::VectorXd::Zero(5), Eigen::VectorXd::Ones(5), 1,
                  {.draws = 512, .max_iterations = 300, .tolerance = 1e-9});
  ASSERT_TRUE(fit.ok()) << fit.status();
  const Eigen::VectorXd best = covariance.inverse().diagonal().cwiseInverse().cwiseSqrt();
  EXPECT_TRUE(fit->sd.isApprox(best, 1e-3));
  EXPECT_TRUE(fit->mean.isApprox(mean, 1e-2));
}

}  // namespace
}  // namespace aisivi
