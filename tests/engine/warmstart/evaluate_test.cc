#include "engine/warmstart/evaluate.h"

#include <gtest/gtest.h>

#include <limits>

#include "tests/engine/not_finite.h"
#include "tests/engine/warmstart/test_targets.h"

namespace aisivi {
namespace {

using test::kInfinity;
using test::kNan;

TEST(EvaluatorTest, SetsBadPointsAside) {
  const PointTarget target(1, [](const Eigen::VectorXd& z, Eigen::VectorXd* score) {
    (*score)[0] = z[0] == 3 ? kNan : -z[0];
    if (z[0] == 1) return kNan;
    return z[0] == 2 ? kInfinity : -0.5 * z[0] * z[0];
  });
  ThreadPool pool(2);
  Evaluator evaluator(target, pool, nullptr);
  Eigen::MatrixXd z(1, 5);
  z << 0, 1, 2, 3, 4;
  Evaluation evaluation;
  ASSERT_TRUE(evaluator.Evaluate(z, &evaluation).ok());
  EXPECT_EQ(evaluation.good, 2);
  for (int64_t bad : {1, 2, 3}) {
    EXPECT_EQ(evaluation.log_density[bad], -kInfinity);
    EXPECT_EQ(evaluation.score(0, bad), 0);
  }
  EXPECT_EQ(evaluation.log_density[4], -8);
  EXPECT_EQ(evaluation.score(0, 4), -4);
}

TEST(EvaluatorTest, NoiseCoordinatesTransformPointAndScore) {
  const PointTarget target = GaussianTarget(Eigen::Vector3d(1, 2, 3), RandomCovariance(3, 10, 1));
  ThreadPool pool(2);
  Evaluator evaluator(target, pool, nullptr);
  const AffineGaussian gaussian{Eigen::Vector3d(0.5, -1, 2),
                                LowerFactor(RandomCovariance(3, 5, 2))};
  const Eigen::MatrixXd x = Normals(1, DrawStream::kCompare, 0, 3, 200);
  Evaluation in_noise, in_z;
  ASSERT_TRUE(evaluator.EvaluateNoise(gaussian, x, &in_noise).ok());
  ASSERT_TRUE(evaluator.Evaluate((gaussian.scale * x).colwise() + gaussian.mean, &in_z).ok());
  EXPECT_TRUE(in_noise.log_density.isApprox(in_z.log_density, 1e-12));
  EXPECT_TRUE(in_noise.score.isApprox(gaussian.scale.transpose() * in_z.score, 1e-12));
}

TEST(EvaluatorTest, ErrorsOfTheTargetPassThrough) {
  class Broken : public Target {
   public:
    int dim() const override { return 1; }
    absl::Status Evaluate(const Eigen::Ref<const Eigen::MatrixXd>&, Eigen::VectorXd*,
                          Eigen::MatrixXd*) const override {
      return absl::UnavailableError("gone");
    }
  };
  const Broken target;
  ThreadPool pool(2);
  Evaluator evaluator(target, pool, nullptr);
  Evaluation evaluation;
  const absl::Status status = evaluator.Evaluate(Eigen::MatrixXd::Zero(1, 300), &evaluation);
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
}

TEST(EvaluatorTest, CancelEndsABatchAtTheNextShard) {
  std::atomic<bool> cancel = false;
  const PointTarget target(1, [&](const Eigen::VectorXd& z, Eigen::VectorXd* score) {
    cancel = true;
    (*score)[0] = 0;
    return 0.0;
  });
  ThreadPool pool(1);
  Evaluator evaluator(target, pool, &cancel);
  Evaluation evaluation;
  const absl::Status status = evaluator.Evaluate(Eigen::MatrixXd::Zero(1, 10000), &evaluation);
  EXPECT_EQ(status.code(), absl::StatusCode::kCancelled);
  EXPECT_LE(target.evaluations(), 64);
}

TEST(EvaluatorTest, DensitiesAloneAreThoseOfTheWhole) {
  const PointTarget target(2, [](const Eigen::VectorXd& z, Eigen::VectorXd* score) {
    *score = -z;
    return z[0] > 2 ? std::numeric_limits<double>::quiet_NaN() : -0.5 * z.squaredNorm();
  });
  ThreadPool pool(2);
  Evaluator evaluator(target, pool, nullptr);
  Eigen::MatrixXd z = Eigen::MatrixXd::Random(2, 150);
  z(0, 100) = 3;
  Evaluation whole;
  Eigen::VectorXd density;
  ASSERT_TRUE(evaluator.Evaluate(z, &whole).ok());
  ASSERT_TRUE(evaluator.EvaluateDensity(z, &density).ok());
  EXPECT_EQ(whole.log_density, density);
  EXPECT_EQ(density[100], -std::numeric_limits<double>::infinity());
  EXPECT_EQ(evaluator.evaluated(), 300);
}

}  // namespace
}  // namespace aisivi
