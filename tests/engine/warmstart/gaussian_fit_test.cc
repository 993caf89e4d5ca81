#include "engine/warmstart/gaussian_fit.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "tests/engine/not_finite.h"
#include "tests/engine/warmstart/test_targets.h"

namespace aisivi {
namespace {

using test::kNan;
using ::testing::Contains;
using ::testing::HasSubstr;

struct Outcome {
  absl::Status status;
  std::vector<GaussianFit> fits;
  std::vector<std::string> log;
};

Outcome FitCandidates(const Target& target, int threads = 2,
                      const std::atomic<bool>* cancel = nullptr) {
  ThreadPool pool(threads);
  Outcome outcome;
  absl::StatusOr<std::vector<GaussianFit>> fits =
      FitGaussianCandidates(target, 1, pool, cancel, &outcome.log);
  outcome.status = fits.status();
  if (fits.ok()) outcome.fits = *std::move(fits);
  return outcome;
}

// What every list of candidates must satisfy.
void ExpectWellFormed(const Outcome& outcome, int dim) {
  ASSERT_TRUE(outcome.status.ok()) << outcome.status;
  ASSERT_FALSE(outcome.fits.empty());
  for (size_t i = 0; i < outcome.fits.size(); ++i) {
    const GaussianFit& fit = outcome.fits[i];
    ASSERT_EQ(fit.mean.size(), dim);
    EXPECT_TRUE(fit.mean.allFinite());
    EXPECT_TRUE(fit.scale.allFinite());
    EXPECT_TRUE(fit.scale.isLowerTriangular(1e-300));
    EXPECT_GT(fit.scale.diagonal().minCoeff(), 0);
    EXPECT_FALSE(fit.how.empty());
    if (i > 0) {
      EXPECT_LE(fit.elbo, outcome.fits[i - 1].elbo);
    }
  }
  EXPECT_THAT(outcome.fits, Contains(::testing::Field(&GaussianFit::how, "identity")));
}

TEST(GaussianFitTest, ExactOnAGaussian) {
  const Eigen::VectorXd mean = Eigen::VectorXd::LinSpaced(5, -2, 7);
  const Eigen::MatrixXd covariance = RandomCovariance(5, 50, 1);
  const Outcome outcome = FitCandidates(GaussianTarget(mean, covariance));
  ExpectWellFormed(outcome, 5);
  const GaussianFit& best = outcome.fits.front();
  EXPECT_LT((best.mean - mean).norm(), 1e-6);
  EXPECT_LT((best.scale * best.scale.transpose() - covariance).norm(), 1e-6);
  EXPECT_NEAR(best.elbo, 0, 1e-6);
  EXPECT_LT(best.elbo_se, 1e-6);
}

TEST(GaussianFitTest, FiftyCorrelatedDimensionsOfConditionTenThousand) {
  const Eigen::VectorXd mean = Eigen::VectorXd::LinSpaced(50, -5, 5);
  const Eigen::MatrixXd covariance = RandomCovariance(50, 1e4, 2);
  const Outcome outcome = FitCandidates(GaussianTarget(mean, covariance));
  ExpectWellFormed(outcome, 50);
  const GaussianFit& best = outcome.fits.front();
  // In the target's own units: L⁻¹ A must be orthogonal.
  const Eigen::MatrixXd ratio = covariance.llt().matrixL().solve(best.scale);
  EXPECT_LT((ratio * ratio.transpose() - Eigen::MatrixXd::Identity(50, 50)).norm(), 1e-5);
  EXPECT_LT(covariance.llt().matrixL().solve(best.mean - mean).norm(), 1e-5);
  EXPECT_NEAR(best.elbo, 0, 1e-6);
}

TEST(GaussianFitTest, OneDimension) {
  const Outcome outcome = FitCandidates(
      GaussianTarget(Eigen::VectorXd::Constant(1, 100), Eigen::MatrixXd::Constant(1, 1, 9)));
  ExpectWellFormed(outcome, 1);
  EXPECT_NEAR(outcome.fits.front().mean[0], 100, 1e-6);
  EXPECT_NEAR(outcome.fits.front().scale(0, 0), 3, 1e-6);
}

TEST(GaussianFitTest, BananaBeatsTheMomentMatchedGaussian) {
  const Outcome outcome = FitCandidates(BananaTarget());
  ExpectWellFormed(outcome, 2);
  // The Gaussian of the exact moments has −0.67; no Gaussian reaches 0.
  EXPECT_GT(outcome.fits.front().elbo, -0.65);
  EXPECT_LT(outcome.fits.front().elbo, -0.55);
}

TEST(GaussianFitTest, FlatTargetFallsBackToTheIdentityAndSaysSo) {
  const PointTarget flat(3, [](const Eigen::VectorXd&, Eigen::VectorXd* score) {
    score->setZero();
    return 1.0;
  });
  const Outcome outcome = FitCandidates(flat);
  ExpectWellFormed(outcome, 3);
  EXPECT_EQ(outcome.fits.front().how, "identity");
  EXPECT_EQ(outcome.fits.front().scale, Eigen::MatrixXd::Identity(3, 3));
  EXPECT_THAT(outcome.log, Contains(HasSubstr("flat")));
  EXPECT_THAT(outcome.log, Contains(HasSubstr("N(0, I)")));
}

TEST(GaussianFitTest, UnboundedTargetsFallBackToTheIdentityAndSaySo) {
  const PointTarget slope(2, [](const Eigen::VectorXd& z, Eigen::VectorXd* score) {
    *score << 1, -3;
    return z[0] - 3 * z[1];
  });
  const PointTarget bowl(2, [](const Eigen::VectorXd& z, Eigen::VectorXd* score) {
    *score = 2 * z;
    return z.squaredNorm();
  });
  for (const Target* target :
       {static_cast<const Target*>(&slope), static_cast<const Target*>(&bowl)}) {
    const Outcome outcome = FitCandidates(*target);
    ExpectWellFormed(outcome, 2);
    EXPECT_EQ(outcome.fits.front().how, "identity");
    EXPECT_THAT(outcome.log, Contains(HasSubstr("ran away without bound")));
    EXPECT_THAT(outcome.log, Contains(HasSubstr("given up")));
  }
}

TEST(GaussianFitTest, AnImproperDirectionDoesNotHang) {
  // Proper in z₁, flat in z₂.
  const PointTarget target(2, [](const Eigen::VectorXd& z, Eigen::VectorXd* score) {
    *score << -z[0], 0;
    return -0.5 * z[0] * z[0];
  });
  ExpectWellFormed(FitCandidates(target), 2);
}

TEST(GaussianFitTest, NothingFiniteAnywhereIsFailedPrecondition) {
  for (double value : {kNan, -std::numeric_limits<double>::infinity()}) {
    const PointTarget target(4, [value](const Eigen::VectorXd&, Eigen::VectorXd* score) {
      score->setZero();
      return value;
    });
    const Outcome outcome = FitCandidates(target);
    EXPECT_EQ(outcome.status.code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_THAT(std::string(outcome.status.message()), HasSubstr("log density"));
  }
}

TEST(GaussianFitTest, HalfTheSpaceUnavailable) {
  // N(0, I) restricted to z₁ > 0; log Z = log ½.
  const PointTarget target(2, [](const Eigen::VectorXd& z, Eigen::VectorXd* score) {
    *score = -z;
    return z[0] > 0 ? -0.5 * z.squaredNorm() - std::log(2 * M_PI) : kNan;
  });
  const Outcome outcome = FitCandidates(target);
  ExpectWellFormed(outcome, 2);
  // N(0, I) itself, restricted, is exact; any start must come near and none may exceed log Z.
  EXPECT_GT(outcome.fits.front().elbo, std::log(0.5) - 0.02);
  EXPECT_LT(outcome.fits.front().elbo, std::log(0.5) + 0.02);
}

TEST(GaussianFitTest, SupportFarSmallerThanTheFirstScales) {
  // sd 1e-3 and NaN beyond 0.02 from the origin.
  const PointTarget target(2, [](const Eigen::VectorXd& z, Eigen::VectorXd* score) {
    *score = -1e6 * z;
    return z.norm() < 0.02 ? -0.5e6 * z.squaredNorm() : kNan;
  });
  const Outcome outcome = FitCandidates(target);
  ExpectWellFormed(outcome, 2);
  EXPECT_NEAR(outcome.fits.front().scale(0, 0), 1e-3, 1e-4);
}

TEST(GaussianFitTest, ManyDimensionsGetADiagonalAndALogLine) {
  constexpr int kDim = 600;
  const Eigen::VectorXd sd = Eigen::VectorXd::LinSpaced(kDim, 0.1, 3);
  const PointTarget target(kDim, [&sd](const Eigen::VectorXd& z, Eigen::VectorXd* score) {
    *score = -(z.array() - 1) / sd.array().square();
    return 0.5 * score->dot((z.array() - 1).matrix()) - sd.array().log().sum() -
           0.5 * kDim * std::log(2 * M_PI);
  });
  const Outcome outcome = FitCandidates(target);
  ExpectWellFormed(outcome, kDim);
  EXPECT_THAT(outcome.fits.front().how, HasSubstr("diagonal"));
  EXPECT_THAT(outcome.log, Contains(HasSubstr("600 is above 500")));
  EXPECT_NEAR(outcome.fits.front().elbo, 0, 0.05);
}

TEST(GaussianFitTest, TheSameAtAnyThreadCount) {
  const PointTarget target = BananaTarget();
  const Outcome one = FitCandidates(target, 1);
  for (int threads : {2, 3}) {
    const Outcome other = FitCandidates(target, threads);
    ASSERT_EQ(one.fits.size(), other.fits.size());
    for (size_t i = 0; i < one.fits.size(); ++i) {
      EXPECT_EQ(one.fits[i].mean, other.fits[i].mean);
      EXPECT_EQ(one.fits[i].scale, other.fits[i].scale);
      EXPECT_EQ(one.fits[i].elbo, other.fits[i].elbo);
    }
    EXPECT_EQ(one.log, other.log);
  }
}

TEST(GaussianFitTest, CancelEndsItWithinOneShard) {
  std::atomic<bool> cancel = false;
  std::atomic<int64_t> calls = 0;
  const PointTarget target(2, [&](const Eigen::VectorXd& z, Eigen::VectorXd* score) {
    if (++calls == 5000) cancel = true;
    *score = -z;
    return -0.5 * z.squaredNorm();
  });
  const Outcome outcome = FitCandidates(target, 1, &cancel);
  EXPECT_EQ(outcome.status.code(), absl::StatusCode::kCancelled);
  EXPECT_LT(target.evaluations(), 5000 + 64);
}

TEST(GaussianFitTest, TheLogMayBeNull) {
  ThreadPool pool(2);
  EXPECT_TRUE(FitGaussianCandidates(BananaTarget(), 1, pool, nullptr, nullptr).ok());
}

}  // namespace
}  // namespace aisivi
