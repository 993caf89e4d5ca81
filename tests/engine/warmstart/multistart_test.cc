#include "engine/warmstart/multistart.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <limits>
#include <random>

#include "engine/warmstart/lbfgs.h"
#include "tests/engine/warmstart/test_targets.h"

namespace aisivi {
namespace {

using ::testing::HasSubstr;

Multistart Search(const Target& target, uint64_t seed = 1, int threads = 2) {
  ThreadPool pool(threads);
  Evaluator evaluator(target, pool, nullptr);
  absl::StatusOr<Multistart> found =
      FindAllModes(evaluator, AffineGaussian::Isotropic(target.dim(), 1), seed);
  EXPECT_TRUE(found.ok()) << found.status();
  return *std::move(found);
}

// How many of the columns of `centres` have a mode within `near` of them.
int64_t Met(const Multistart& found, const Eigen::MatrixXd& centres, double near) {
  int64_t met = 0;
  for (int64_t k = 0; k < centres.cols(); ++k) {
    for (const LocalMode& mode : found.modes) {
      if ((mode.laplace.mean - centres.col(k)).norm() > near) continue;
      ++met;
      break;
    }
  }
  return met;
}

TEST(MultistartTest, OneModeIsMetByAllAndStandsAFewThousandEvaluations) {
  const PointTarget target = GaussianTarget(Eigen::Vector3d(1, 2, 3), RandomCovariance(3, 10, 1));
  const Multistart found = Search(target);
  ASSERT_EQ(found.modes.size(), 1u);
  EXPECT_NEAR(found.modes[0].log_mass, 0, 1e-6);
  EXPECT_EQ(found.report.end, MultistartEnd::kComplete);
  EXPECT_GE(found.report.evaluations, 16384);
  EXPECT_LT(found.report.evaluations, 65536);
}

// N(0, I) and 1e-5 of its mass at (8, 8, 8): two modes are met, of which one matters.
TEST(MultistartTest, ModesOfNoWeightDoNotAskForACensusOfSeveral) {
  const PointTarget target(3, [](const Eigen::VectorXd& z, Eigen::VectorXd* score) {
    const Eigen::VectorXd away = z.array() - 8;
    const double a = -0.5 * z.squaredNorm();
    const double b = -0.5 * away.squaredNorm() + std::log(1e-5);
    const double share = 1 / (1 + std::exp(b - a));
    *score = -share * z - (1 - share) * away;
    const double top = std::max(a, b);
    return top + std::log(std::exp(a - top) + std::exp(b - top));
  });
  const Multistart found = Search(target);
  EXPECT_EQ(found.report.end, MultistartEnd::kComplete);
  ASSERT_EQ(found.modes.size(), 2u);
  EXPECT_NEAR(found.modes[0].laplace.mean.norm(), 0, 0.01);
  EXPECT_GE(found.report.evaluations, 16384);
  EXPECT_LT(found.report.evaluations, 1 << 17);
}

// Nowhere near a Gaussian, so that no start is recognised and every search has to be made: in so
// many dimensions the census of a single mode ends by its cost, which it does not overrun.
TEST(MultistartTest, SearchesOfASingleModeAreAsManyAsMayBeMade) {
  const PointTarget target(22, [](const Eigen::VectorXd& z, Eigen::VectorXd* score) {
    const Eigen::ArrayXd root = (1 + z.array().square()).sqrt();
    *score = -3 * z.array() / root;
    return -3 * root.sum();
  });
  const Multistart found = Search(target);
  EXPECT_EQ(found.report.end, MultistartEnd::kComplete);
  EXPECT_EQ(found.modes.size(), 1u);
  EXPECT_GE(found.report.evaluations, 1 << 17);
  EXPECT_LT(found.report.evaluations, 1.2 * (1 << 17));
  EXPECT_GT(found.report.searches, 2000);
}

TEST(MultistartTest, AWideModeFarAwayIsMet) {
  Eigen::MatrixXd centres = Eigen::MatrixXd::Zero(20, 2);
  centres.col(1).setConstant(30);
  const PointTarget target(20, [](const Eigen::VectorXd& z, Eigen::VectorXd* score) {
    const double a = -0.5 * z.squaredNorm();
    const double b = -(z.array() - 30).square().sum() / 8 - 20 * std::log(2.0);
    const double share = 1 / (1 + std::exp(b - a));
    *score = -share * z - (1 - share) * (z.array() - 30).matrix() / 4;
    const double top = std::max(a, b);
    return top + std::log(0.5 * (std::exp(a - top) + std::exp(b - top)));
  });
  for (uint64_t seed = 1; seed <= 5; ++seed) {
    const Multistart found = Search(target, seed);
    EXPECT_EQ(found.modes.size(), 2u);
    EXPECT_EQ(Met(found, centres, 0.1), 2);
    // Two modes in so many dimensions tell too little about others.
    EXPECT_EQ(found.report.end, MultistartEnd::kOutOfWork);
  }
}

// A mode beyond a tenth of the radius asks for starts from farther out, where there may be more.
TEST(MultistartTest, TheRadiusGrowsWithTheModesThatAreMet) {
  Eigen::MatrixXd centres(3, 3);
  centres << 0, 400, -3000, 0, 0, 0, 0, 0, 0;
  const PointTarget target = SphereMixtureTarget(Eigen::Vector3d::Constant(1.0 / 3), centres, 1);
  const Multistart found = Search(target);
  EXPECT_EQ(Met(found, centres, 0.1), 3);
  EXPECT_GE(found.report.radius, 100000);
}

TEST(MultistartTest, FortyModesInFiftyDimensions) {
  std::mt19937_64 random(1);
  std::uniform_real_distribution<double> uniform(-40, 40);
  Eigen::MatrixXd centres(50, 40);
  for (double& value : centres.reshaped()) value = uniform(random);
  const PointTarget target =
      SphereMixtureTarget(Eigen::VectorXd::Constant(40, 1.0 / 40), centres, 1.3);
  const Multistart found = Search(target);
  EXPECT_EQ(Met(found, centres, 0.1), 40);
  EXPECT_EQ(found.report.modes, 40);
  EXPECT_EQ(found.report.end, MultistartEnd::kComplete);
}

TEST(MultistartTest, AHundredModesOnAGrid) {
  Eigen::MatrixXd centres(2, 100);
  for (int k = 0; k < 100; ++k) centres.col(k) << 6 * (k % 10) + 17.0, 6 * (k / 10) - 60.0;
  const PointTarget target = SphereMixtureTarget(Eigen::VectorXd::Constant(100, 0.01), centres, 1);
  for (uint64_t seed = 1; seed <= 3; ++seed) {
    const Multistart found = Search(target, seed);
    EXPECT_EQ(Met(found, centres, 0.2), 100);
    EXPECT_EQ(found.report.end, MultistartEnd::kComplete);
  }
}

// Narrow modes beside wide ones in many dimensions: whatever is met, the search must not claim to
// have seen enough.
TEST(MultistartTest, BasinsOfVeryUnequalSizeAreNoCompleteCensus) {
  std::mt19937_64 random(3);
  std::normal_distribution<double> normal;
  constexpr int kDim = 25, kModes = 20;
  Eigen::MatrixXd centres(kDim, kModes);
  for (double& value : centres.reshaped()) value = 8 * normal(random);
  const PointTarget target(kDim, [&](const Eigen::VectorXd& z, Eigen::VectorXd* score) {
    Eigen::VectorXd terms(kModes), precision(kModes);
    for (int k = 0; k < kModes; ++k) {
      const double sd = std::exp(0.7 * (2.0 * k / (kModes - 1) - 1));
      precision[k] = 1 / (sd * sd);
      terms[k] = -0.5 * (z - centres.col(k)).squaredNorm() * precision[k] - kDim * std::log(sd);
    }
    const double top = terms.maxCoeff();
    Eigen::VectorXd share = (terms.array() - top).exp();
    const double total = share.sum();
    share = share.cwiseProduct(precision) / total;
    *score = centres * share - share.sum() * z;
    return top + std::log(total / kModes);
  });
  const Multistart found = Search(target);
  EXPECT_LT(found.report.modes, kModes);
  EXPECT_EQ(found.report.end, MultistartEnd::kOutOfWork);
  EXPECT_THAT(Describe(found.report), HasSubstr("cut short"));
}

TEST(MultistartTest, TooManyModesToCountEndTheSearchEarly) {
  const PointTarget ripples(6, [](const Eigen::VectorXd& z, Eigen::VectorXd* score) {
    *score = -z / 100 - 8 * (4 * z.array()).sin().matrix();
    return -z.squaredNorm() / 200 + 2 * (4 * z.array()).cos().sum();
  });
  const Multistart found = Search(ripples);
  EXPECT_EQ(found.report.end, MultistartEnd::kTooManyModes);
  EXPECT_LE(found.modes.size(), 24u);
  EXPECT_GT(found.report.modes, 24);
}

TEST(MultistartTest, ATargetWithoutMaximumHasNoModes) {
  const PointTarget slope(3, [](const Eigen::VectorXd& z, Eigen::VectorXd* score) {
    *score << 1, 0, 0;
    return z[0];
  });
  EXPECT_EQ(Search(slope).report.end, MultistartEnd::kNoMode);
}

// log p̃ rises along the neck to a maximum without mass, by a valley too narrow for the searches:
// the places where they give up are no modes.
TEST(MultistartTest, PlacesInTheNeckOfAFunnelAreNoModes) {
  const PointTarget funnel(10, [](const Eigen::VectorXd& z, Eigen::VectorXd* score) {
    const double v = z[0], shrink = std::exp(-v);
    const double square = z.tail(9).squaredNorm();
    *score = -shrink * z;
    (*score)[0] = -v / 9 - 4.5 + 0.5 * shrink * square;
    return -v * v / 18 - 4.5 * v - 0.5 * shrink * square;
  });
  for (uint64_t seed = 1; seed <= 3; ++seed) {
    const Multistart found = Search(funnel, seed);
    EXPECT_EQ(found.report.end, MultistartEnd::kNoMode);
    EXPECT_TRUE(found.modes.empty());
  }
}

TEST(MultistartTest, ACancelledSearchHandsOverTheModesItMet) {
  Eigen::MatrixXd centres(3, 2);
  centres << 0, 20, 0, 0, 0, 0;
  const PointTarget target = SphereMixtureTarget(Eigen::Vector2d(0.5, 0.5), centres, 1);
  std::atomic<bool> cancel = false;
  const PointTarget cancelling = CancelAfter(target, 20000, &cancel);
  ThreadPool pool(1);
  Evaluator evaluator(cancelling, pool, &cancel);
  const absl::StatusOr<Multistart> found =
      FindAllModes(evaluator, AffineGaussian::Isotropic(3, 1), 1);
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_EQ(Met(*found, centres, 0.1), 2);
  EXPECT_EQ(found->report.end, MultistartEnd::kOutOfWork);
}

TEST(MultistartTest, StartsOffTheSupportComeInUntilTheyCanBeEvaluated) {
  const PointTarget bounded(2, [](const Eigen::VectorXd& z, Eigen::VectorXd* score) {
    *score = -z;
    return z.norm() < 3 ? -0.5 * z.squaredNorm() : -std::numeric_limits<double>::infinity();
  });
  const Multistart found = Search(bounded);
  ASSERT_EQ(found.modes.size(), 1u);
  EXPECT_LT(found.modes[0].laplace.mean.norm(), 1e-3);
  EXPECT_EQ(found.report.end, MultistartEnd::kComplete);
}

TEST(MultistartTest, TheSameAtAnyThreadCount) {
  Eigen::MatrixXd centres(3, 4);
  centres << -4, 4, 0, 9, 0, 0, 5, 9, 1, 2, 3, 9;
  const PointTarget target = SphereMixtureTarget(Eigen::Vector4d(0.4, 0.3, 0.2, 0.1), centres, 0.7);
  const Multistart one = Search(target, 7, 1);
  for (const int threads : {2, 3}) {
    const Multistart other = Search(target, 7, threads);
    EXPECT_EQ(one.report.searches, other.report.searches);
    EXPECT_EQ(one.report.unmet, other.report.unmet);
    ASSERT_EQ(one.modes.size(), other.modes.size());
    for (size_t k = 0; k < one.modes.size(); ++k) {
      EXPECT_EQ(one.modes[k].laplace.mean, other.modes[k].laplace.mean);
      EXPECT_EQ(one.modes[k].met, other.modes[k].met);
    }
  }
}

TEST(UnmetShareTest, GrowsAsTheBasinsDifferAndFallsAsTheyAreMet) {
  EXPECT_EQ(UnmetShare({}, 2), 1);
  const double even = UnmetShare({40, 50, 60, 50, 40}, 2);
  EXPECT_LT(even, 1e-4);
  EXPECT_GT(UnmetShare({1, 2, 20, 200, 2000}, 2), 0.01);
  EXPECT_GT(UnmetShare({1, 1, 2}, 2), UnmetShare({10, 10, 20}, 2));
  EXPECT_GT(UnmetShare({10, 10, 20}, 2), UnmetShare({100, 100, 200}, 2));
  // Two modes tell little about how basins differ: an even pair is not beyond doubt.
  EXPECT_GT(UnmetShare({3, 3}, 2), 0.05);
  // One that is met far more often than the rest is no sign of others that are met less.
  EXPECT_DOUBLE_EQ(UnmetShare({40, 40, 50, 60, 70}, 2), UnmetShare({40, 40, 50, 60, 7000}, 2));
}

TEST(UnmetShareTest, GrowsWithTheDimension) {
  // Scales that differ by a third make basins that differ by e^(0.3 D).
  EXPECT_DOUBLE_EQ(UnmetShare({9000, 9000}, 2), UnmetShare({9000, 9000}, 5));
  EXPECT_LT(UnmetShare({9000, 9000}, 5), 1e-10);
  EXPECT_GT(UnmetShare({9000, 9000}, 28), 0.01);
  // Many even ones tell that they do not differ.
  EXPECT_LT(UnmetShare(std::vector<int64_t>(40, 3000), 50), 0.01);
}

TEST(RecognitionTest, ASearchEndsWhereItIsRecognised) {
  const PointTarget target = GaussianTarget(Eigen::Vector2d(1, -1), Eigen::Matrix2d::Identity());
  ThreadPool pool(1);
  Evaluator evaluator(target, pool, nullptr);
  LbfgsOptions options;
  options.recognise = [](const Eigen::VectorXd& z, double) { return z[0] > 0 ? 5 : -1; };
  const absl::StatusOr<std::vector<ModeSearch>> ends =
      FindModes(evaluator, Eigen::Vector2d(-30, 0), options);
  ASSERT_TRUE(ends.ok());
  EXPECT_EQ((*ends)[0].end, SearchEnd::kKnown);
  EXPECT_EQ((*ends)[0].known, 5);
  EXPECT_GT((*ends)[0].z[0], 0);
}

TEST(RecognitionTest, StepsFromFarAwayAreAShareOfTheDistance) {
  const PointTarget target = GaussianTarget(Eigen::Vector2d(0, 0), Eigen::Matrix2d::Identity());
  ThreadPool pool(1);
  Evaluator evaluator(target, pool, nullptr);
  LbfgsOptions options;
  options.max_step = 0.1;
  const Eigen::Vector2d start(1e5, 0);
  const absl::StatusOr<std::vector<ModeSearch>> slow = FindModes(evaluator, start, options);
  ASSERT_TRUE(slow.ok());
  EXPECT_EQ((*slow)[0].end, SearchEnd::kIterationLimit);
  options.max_step_share = 0.25;
  options.centre = Eigen::Vector2d(1, 1);
  const absl::StatusOr<std::vector<ModeSearch>> fast = FindModes(evaluator, start, options);
  ASSERT_TRUE(fast.ok());
  EXPECT_EQ((*fast)[0].end, SearchEnd::kConverged);
  EXPECT_LT((*fast)[0].z.norm(), 1e-3);
}

}  // namespace
}  // namespace aisivi
