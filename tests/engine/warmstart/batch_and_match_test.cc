#include "engine/warmstart/batch_and_match.h"

#include <gtest/gtest.h>

#include "tests/engine/warmstart/test_targets.h"

namespace aisivi {
namespace {

Eigen::MatrixXd Covariance(const Eigen::MatrixXd& points) {
  const Eigen::MatrixXd centred = points.colwise() - points.rowwise().mean();
  return centred * centred.transpose() / static_cast<double>(points.cols());
}

// The update written as in the paper, in the coordinates of z, must satisfy its own equations.
TEST(BatchAndMatchTest, TheUpdateSolvesItsEquations) {
  constexpr int kDim = 4;
  constexpr double kLambda = 3.7;
  const AffineGaussian current{Eigen::Vector4d(1, -2, 0.5, 3),
                               LowerFactor(RandomCovariance(kDim, 20, 1))};
  const Eigen::MatrixXd x = Normals(1, DrawStream::kCompare, 0, kDim, 12);
  const Eigen::MatrixXd g = Normals(2, DrawStream::kCompare, 0, kDim, 12);  // scores in z
  const AffineGaussian next = BatchAndMatchUpdate(current, x, current.scale.transpose() * g,
                                                  Eigen::VectorXd::Zero(12), kLambda);

  const Eigen::MatrixXd z = (current.scale * x).colwise() + current.mean;
  const Eigen::VectorXd z_mean = z.rowwise().mean(), g_mean = g.rowwise().mean();
  const double share = kLambda / (1 + kLambda);
  const Eigen::MatrixXd u = kLambda * Covariance(g) + share * g_mean * g_mean.transpose();
  const Eigen::VectorXd offset = current.mean - z_mean;
  const Eigen::MatrixXd v = current.scale * current.scale.transpose() + kLambda * Covariance(z) +
                            share * offset * offset.transpose();
  const Eigen::MatrixXd sigma = next.scale * next.scale.transpose();
  EXPECT_TRUE((sigma * u * sigma + sigma).isApprox(v, 1e-10));
  const Eigen::VectorXd mean = current.mean / (1 + kLambda) + share * (sigma * g_mean + z_mean);
  EXPECT_TRUE(next.mean.isApprox(mean, 1e-10));
}

TEST(BatchAndMatchTest, BadColumnsAreLeftOut) {
  const AffineGaussian current = AffineGaussian::Isotropic(3, 2);
  const Eigen::MatrixXd x = Normals(1, DrawStream::kCompare, 0, 3, 10);
  const Eigen::MatrixXd g = Normals(2, DrawStream::kCompare, 0, 3, 10);
  Eigen::VectorXd log_density = Eigen::VectorXd::Zero(10);
  log_density.tail(2).setConstant(-std::numeric_limits<double>::infinity());
  const AffineGaussian all = BatchAndMatchUpdate(current, x, g, log_density, 2);
  const AffineGaussian some =
      BatchAndMatchUpdate(current, x.leftCols(8), g.leftCols(8), log_density.head(8), 2);
  EXPECT_EQ(all.mean, some.mean);
  EXPECT_EQ(all.scale, some.scale);
}

TEST(BatchAndMatchTest, ReachesAGaussianTarget) {
  const Eigen::VectorXd mean = Eigen::VectorXd::LinSpaced(8, -4, 9);
  const Eigen::MatrixXd covariance = RandomCovariance(8, 100, 3);
  const PointTarget target = GaussianTarget(mean, covariance);
  ThreadPool pool(2);
  Evaluator evaluator(target, pool, nullptr);
  for (int ladder : {0, 15}) {
    const BatchAndMatchOptions options{.iterations = 30, .batch = 64, .ladder = ladder};
    const absl::StatusOr<AffineGaussian> fit =
        BatchAndMatch(evaluator, AffineGaussian::Isotropic(8, 5), 1, options);
    ASSERT_TRUE(fit.ok()) << fit.status();
    EXPECT_TRUE(fit->mean.isApprox(mean, 1e-6));
    EXPECT_TRUE((fit->scale * fit->scale.transpose()).isApprox(covariance, 1e-6));
  }
}

TEST(BatchAndMatchTest, NarrowsUntilPointsCanBeEvaluated) {
  // A Gaussian of sd 0.01 whose density is NaN beyond radius 0.1.
  const PointTarget target(2, [](const Eigen::VectorXd& z, Eigen::VectorXd* score) {
    *score = -1e4 * z;
    return z.norm() < 0.1 ? -0.5e4 * z.squaredNorm() : std::nan("");
  });
  ThreadPool pool(2);
  Evaluator evaluator(target, pool, nullptr);
  const absl::StatusOr<AffineGaussian> fit =
      BatchAndMatch(evaluator, AffineGaussian::Isotropic(2, 5), 1, {.iterations = 20});
  ASSERT_TRUE(fit.ok()) << fit.status();
  EXPECT_NEAR(fit->scale(0, 0), 0.01, 1e-4);
}

}  // namespace
}  // namespace aisivi
