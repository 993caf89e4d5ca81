#include "engine/warmstart/mixture_fit.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "tests/engine/warmstart/test_targets.h"

namespace aisivi {
namespace {

MixtureFit FitComponents(const Target& target, uint64_t seed = 1, int threads = 2) {
  ThreadPool pool(threads);
  std::vector<std::string> log;
  absl::StatusOr<MixtureFit> fit = FitMixture(target, seed, pool, nullptr, &log);
  EXPECT_TRUE(fit.ok()) << fit.status();
  EXPECT_FALSE(log.empty());
  return *std::move(fit);
}

// Each true centre must have a component on it with the true weight (within `share` of it).
void ExpectMixture(const MixtureFit& fit, const Eigen::VectorXd& weights,
                   const Eigen::MatrixXd& centres, double sd, double share) {
  ASSERT_EQ(fit.components.size(), static_cast<size_t>(weights.size()));
  EXPECT_NEAR(fit.weights.sum(), 1, 1e-12);
  for (int64_t k = 0; k < weights.size(); ++k) {
    double nearest = std::numeric_limits<double>::infinity(), weight = 0;
    for (size_t j = 0; j < fit.components.size(); ++j) {
      const double distance = (fit.components[j].mean - centres.col(k)).norm();
      if (distance >= nearest) continue;
      nearest = distance;
      weight = fit.weights[static_cast<int64_t>(j)];
    }
    EXPECT_LT(nearest, 0.2 * sd);
    EXPECT_NEAR(weight / weights[k], 1, share);
  }
}

TEST(MixtureFitTest, EightGaussiansOnACircle) {
  Eigen::MatrixXd centres(2, 8);
  for (int k = 0; k < 8; ++k) {
    centres.col(k) << 4 * std::cos(k * M_PI / 4), 4 * std::sin(k * M_PI / 4);
  }
  const Eigen::VectorXd weights = Eigen::VectorXd::Constant(8, 1.0 / 8);
  const PointTarget target = SphereMixtureTarget(weights, centres, 0.5);
  for (uint64_t seed = 1; seed <= 5; ++seed) {
    const MixtureFit fit = FitComponents(target, seed);
    ExpectMixture(fit, weights, centres, 0.5, 0.05);
    EXPECT_NEAR(fit.elbo, 0, 0.01);
  }
}

TEST(MixtureFitTest, GridOfTwentyFive) {
  Eigen::MatrixXd centres(2, 25);
  for (int k = 0; k < 25; ++k) centres.col(k) << 2.5 * (k % 5 - 2), 2.5 * (k / 5 - 2);
  const Eigen::VectorXd weights = Eigen::VectorXd::Constant(25, 1.0 / 25);
  const PointTarget target = SphereMixtureTarget(weights, centres, 0.3);
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    const MixtureFit fit = FitComponents(target, seed);
    ExpectMixture(fit, weights, centres, 0.3, 0.2);
    EXPECT_NEAR(fit.elbo, 0, 0.01);
  }
}

TEST(MixtureFitTest, UnequalWeightsAwayFromTheOriginInTenDimensions) {
  Eigen::MatrixXd centres = Eigen::MatrixXd::Constant(10, 3, 20);
  centres(0, 1) += 8;
  centres(3, 2) -= 9;
  const Eigen::Vector3d weights(0.7, 0.25, 0.05);
  const MixtureFit fit = FitComponents(SphereMixtureTarget(weights, centres, 1));
  ExpectMixture(fit, weights, centres, 1, 0.1);
  EXPECT_TRUE(std::is_sorted(fit.weights.begin(), fit.weights.end(), std::greater<double>()));
}

TEST(MixtureFitTest, DifferentShapesAreFittedTogether) {
  // ½ N((−3, 0), diag(1, 0.01)) + ½ N((3, 0), diag(0.04, 4)).
  const PointTarget left =
      GaussianTarget(Eigen::Vector2d(-3, 0), Eigen::Vector2d(1, 0.01).asDiagonal());
  const PointTarget right =
      GaussianTarget(Eigen::Vector2d(3, 0), Eigen::Vector2d(0.04, 4).asDiagonal());
  const PointTarget target(2, [&](const Eigen::VectorXd& z, Eigen::VectorXd* score) {
    Eigen::VectorXd a, b;
    Eigen::MatrixXd da, db;
    (void)left.Evaluate(z, &a, &da);
    (void)right.Evaluate(z, &b, &db);
    const double share = 1 / (1 + std::exp(b[0] - a[0]));
    *score = share * da + (1 - share) * db;
    const double highest = std::max(a[0], b[0]);
    return highest + std::log(0.5 * (std::exp(a[0] - highest) + std::exp(b[0] - highest)));
  });
  const MixtureFit fit = FitComponents(target);
  ASSERT_EQ(fit.components.size(), 2);
  EXPECT_NEAR(fit.weights[0], 0.5, 0.02);
  EXPECT_NEAR(fit.elbo, 0, 0.01);
}

TEST(MixtureFitTest, OneModeGivesOneComponent) {
  const PointTarget banana = BananaTarget();
  const PointTarget gaussian = GaussianTarget(Eigen::Vector3d(1, 2, 3), RandomCovariance(3, 10, 1));
  for (const PointTarget* target : {&banana, &gaussian}) {
    const MixtureFit fit = FitComponents(*target);
    ASSERT_EQ(fit.components.size(), 1);
    EXPECT_EQ(fit.weights[0], 1);
    EXPECT_EQ(fit.elbo, fit.components[0].elbo);
  }
}

TEST(MixtureFitTest, HopelessTargetsEndInOneComponentOrAnError) {
  ThreadPool pool(2);
  const PointTarget flat(2, [](const Eigen::VectorXd&, Eigen::VectorXd* score) {
    score->setZero();
    return 0.0;
  });
  EXPECT_EQ(FitComponents(flat).components.size(), 1);
  const PointTarget nowhere(2, [](const Eigen::VectorXd&, Eigen::VectorXd* score) {
    score->setZero();
    return std::nan("");
  });
  EXPECT_EQ(FitMixture(nowhere, 1, pool, nullptr, nullptr).status().code(),
            absl::StatusCode::kFailedPrecondition);
}

// Hardly a valley between the first two; one Gaussian for both would cost 0.05 nats.
TEST(MixtureFitTest, OverlappingModesStayApartWhereTheirSumIsExact) {
  Eigen::MatrixXd centres(2, 3);
  centres << -1.3, 1.3, 12, 0, 0, 0;
  const Eigen::Vector3d weights(0.4, 0.4, 0.2);
  const MixtureFit fit = FitComponents(SphereMixtureTarget(weights, centres, 1));
  ExpectMixture(fit, weights, centres, 1, 0.01);
  EXPECT_NEAR(fit.elbo, 0, 1e-4);
}

TEST(MixtureFitTest, CancelledAfterModesWereMetGivesTheirLaplaceApproximations) {
  Eigen::MatrixXd centres(2, 2);
  centres << -5, 5, 0, 0;
  const Eigen::Vector2d weights(0.3, 0.7);
  const PointTarget target = SphereMixtureTarget(weights, centres, 1);
  const GaussianFit single{Eigen::Vector2d::Zero(), 5 * Eigen::Matrix2d::Identity(), -1, 0, ""};
  std::atomic<bool> cancel = false;
  const PointTarget cancelling = CancelAfter(target, 10000, &cancel);
  ThreadPool pool(1);
  std::vector<std::string> log;
  const absl::StatusOr<MixtureFit> fit = FitMixture(cancelling, single, 1, pool, &cancel, &log);
  ASSERT_TRUE(fit.ok()) << fit.status();
  EXPECT_TRUE(fit->cut_short);
  ExpectMixture(*fit, weights, centres, 1, 0.05);
  EXPECT_THAT(log.back(), ::testing::HasSubstr("no time to fit it to the end"));
}

TEST(MixtureFitTest, CancelledFromTheStart) {
  ThreadPool pool(2);
  const std::atomic<bool> cancel = true;
  EXPECT_EQ(FitMixture(BananaTarget(), 1, pool, &cancel, nullptr).status().code(),
            absl::StatusCode::kCancelled);
}

TEST(MixtureFitTest, TheSameAtAnyThreadCount) {
  Eigen::MatrixXd centres(2, 3);
  centres << -4, 4, 0, 0, 0, 5;
  const PointTarget target = SphereMixtureTarget(Eigen::Vector3d(0.5, 0.3, 0.2), centres, 0.7);
  const MixtureFit one = FitComponents(target, 1, 1);
  for (int threads : {2, 3}) {
    const MixtureFit other = FitComponents(target, 1, threads);
    EXPECT_EQ(one.elbo, other.elbo);
    EXPECT_EQ(one.weights, other.weights);
    ASSERT_EQ(one.components.size(), other.components.size());
    for (size_t k = 0; k < one.components.size(); ++k) {
      EXPECT_EQ(one.components[k].mean, other.components[k].mean);
      EXPECT_EQ(one.components[k].scale, other.components[k].scale);
    }
  }
}

}  // namespace
}  // namespace aisivi
