#include "engine/explore/reference.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <limits>
#include <thread>

#include "absl/strings/str_cat.h"
#include "engine/targets/registry.h"
#include "tests/csv.h"
#include "tests/engine/explore/testing.h"
#include "tests/engine/targets/testing.h"
#include "tests/engine/warmstart/test_targets.h"

namespace aisivi {
namespace {

using test::ExpectCovers;
using test::FittedStart;
using test::Sample;
using ::testing::HasSubstr;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

std::vector<AffineGaussian> UnitStart(int64_t dim, double sd = 1) {
  return {AffineGaussian::Isotropic(dim, sd)};
}

// ½ N(0, I) + ½ N(30·1, 4 I) in 20 dimensions.
std::unique_ptr<const Target> TwoScales() {
  Eigen::MatrixXd means = Eigen::MatrixXd::Zero(2, 20);
  means.row(1).setConstant(30);
  const Eigen::MatrixXd one = Eigen::MatrixXd::Identity(20, 20);
  return test::Make("gaussian_mixture",
                    {{"weights", Eigen::VectorXd{{0.5, 0.5}}},
                     {"means", means},
                     {"covariances", std::vector<Eigen::MatrixXd>{one, 4 * one}}});
}

std::unique_ptr<const Target> Logistic(const char* file) {
  const absl::StatusOr<test::Table> data =
      test::ReadCsv(absl::StrCat(AISIVI_EXAMPLE_DATA, "/", file));
  if (!data.ok()) return nullptr;
  return test::Make("logistic_regression",
                    {{"x", Eigen::MatrixXd(data->rows.rightCols(data->rows.cols() - 1))},
                     {"y", Eigen::VectorXd(data->rows.col(0))},
                     {"prior_precision", 0.01}});
}

// N(0, I) with a different density, or none, where the first coordinate is negative.
PointTarget HalfNormal(int dim, double elsewhere) {
  return PointTarget(dim, [=](const Eigen::VectorXd& z, Eigen::VectorXd* score) {
    *score = -z;
    if (z[0] < 0) {
      score->setConstant(elsewhere);
      return elsewhere;
    }
    return -0.5 * z.squaredNorm() - 0.5 * dim * std::log(2 * M_PI);
  });
}

TEST(ReferenceTest, IllConditionedGaussian) {
  const Eigen::VectorXd mean = Eigen::VectorXd::LinSpaced(20, -2, 2);
  const Eigen::MatrixXd covariance = RandomCovariance(20, 1e4, 3);
  const auto target = test::Make("gaussian", {{"mean", mean}, {"covariance", covariance}});
  const Reference reference = Sample(*target, FittedStart(*target), {}, 1);
  ExpectCovers(reference, 0);
  EXPECT_EQ(reference.end, ReferenceEnd::kAccurate);
  EXPECT_LT(reference.standard_error, 0.05);
  EXPECT_LT(reference.r_hat, 1.02);
  EXPECT_GT(reference.ess, 500);
  ASSERT_EQ(reference.draws.cols(), 4096);
  const Eigen::ArrayXd sd = covariance.diagonal().array().sqrt();
  const Eigen::MatrixXd centred = reference.draws.colwise() - mean;
  EXPECT_LT((centred.rowwise().mean().array() / sd).abs().maxCoeff(), 0.15);
  const Eigen::ArrayXd variance = centred.array().square().rowwise().mean();
  EXPECT_LT((variance / sd.square() - 1).abs().maxCoeff(), 0.2);
}

TEST(ReferenceTest, DrawsCarryTheirLogDensity) {
  const auto target = test::Make("banana");
  const Reference reference =
      Sample(*target, FittedStart(*target), {.draws = 500, .target_standard_error = 0}, 1);
  ASSERT_EQ(reference.draws.cols(), 500);
  EXPECT_TRUE(reference.log_density.isApprox(test::LogDensity(*target, reference.draws), 1e-12));
}

TEST(ReferenceTest, XShaped) {
  const auto target = test::Make("x_shaped");
  const Reference reference = Sample(*target, FittedStart(*target), {}, 2);
  ExpectCovers(reference, 0);
  EXPECT_LE(reference.standard_error, 0.05);
}

TEST(ReferenceTest, TwoScalesHaveTheirShares) {
  const auto target = TwoScales();
  ASSERT_NE(target, nullptr);
  const std::vector<AffineGaussian> start = FittedStart(*target);
  ASSERT_EQ(start.size(), 2u);
  const Reference reference = Sample(*target, start, {}, 3);
  ExpectCovers(reference, 0);
  EXPECT_LE(reference.standard_error, 0.05);
  EXPECT_NEAR(reference.shares[0], 0.5, 0.05);
  EXPECT_NEAR(reference.shares.sum(), 1, 1e-12);
  ASSERT_EQ(reference.island_shares.cols(), 8);
  EXPECT_TRUE(reference.island_shares.colwise().sum().isOnes(1e-12));
  EXPECT_NEAR(reference.island_shares.row(0).mean(), 0.5, 0.05);
}

TEST(ReferenceTest, HeavyTails) {
  const auto target = test::Make("student_t", {{"degrees_of_freedom", 3.0}, {"dimension", 5.0}});
  ExpectCovers(Sample(*target, FittedStart(*target), {}, 4), 0);
}

// log Z by importance sampling with two million draws (warmstart/known_truth_test.cc).
TEST(ReferenceTest, LogisticRegression) {
  const auto target = Logistic("waveform.csv");
  ASSERT_NE(target, nullptr);
  const Reference reference = Sample(*target, FittedStart(*target), {}, 5);
  ExpectCovers(reference, -93.617);
  EXPECT_LE(reference.standard_error, 0.05);
}

TEST(ReferenceTest, AFunnelNeedsManyScales) {
  const auto target = test::Make("funnel", {{"dimension", 10.0}});
  const Reference reference =
      Sample(*target, FittedStart(*target), {.max_evaluations = 500'000}, 2);
  ExpectCovers(reference, 0);
  EXPECT_LT(std::abs(reference.log_z), 0.2);
  EXPECT_LT(reference.standard_error, 0.2);
}

TEST(ReferenceTest, AFunnelOnTheCheapHasAnHonestError) {
  const auto target = test::Make("funnel", {{"dimension", 10.0}});
  const std::vector<AffineGaussian> start = FittedStart(*target);
  for (uint64_t seed = 1; seed <= 3; ++seed) {
    const Reference reference = Sample(*target, start, SecondOpinionOptions(24'000), seed);
    ExpectCovers(reference, 0);
    EXPECT_LT(reference.evaluations, 27'000);
  }
}

TEST(ReferenceTest, LogZIsCoveredOverManySeeds) {
  const auto target = test::Make("multimodal");
  const auto skewed = Logistic("challenger.csv");
  ASSERT_NE(skewed, nullptr);
  const std::vector<AffineGaussian> two = FittedStart(*target), one = FittedStart(*skewed);
  int covered = 0;
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    const Reference a = Sample(*target, two, SecondOpinionOptions(10'000), seed);
    const Reference b = Sample(*skewed, one, SecondOpinionOptions(12'000), seed);
    covered += std::abs(a.log_z) <= 3 * a.standard_error;
    covered += std::abs(b.log_z + 15.579) <= 3 * b.standard_error;
    EXPECT_LT(a.standard_error, 0.1);
    EXPECT_LT(b.standard_error, 0.1);
  }
  EXPECT_GE(covered, 38);
}

// A start that is far too narrow: the pilots widen it.
TEST(ReferenceTest, APoorStartIsMadeUpFor) {
  const PointTarget target =
      GaussianTarget(Eigen::VectorXd::Constant(5, 2), 9 * Eigen::MatrixXd::Identity(5, 5));
  const Reference reference = Sample(target, UnitStart(5, 0.5), {}, 6);
  ExpectCovers(reference, 0);
  EXPECT_LE(reference.standard_error, 0.05);
}

TEST(ReferenceTest, NotANumberInHalfTheSpace) {
  const PointTarget target = HalfNormal(3, kNan);
  const Reference reference = Sample(target, UnitStart(3), {}, 7);
  ExpectCovers(reference, std::log(0.5));
  EXPECT_LE(reference.standard_error, 0.05);
  EXPECT_GE(reference.draws.row(0).minCoeff(), 0);
  EXPECT_TRUE(reference.log_density.allFinite());
}

TEST(ReferenceTest, InfiniteInHalfTheSpace) {
  const PointTarget target = HalfNormal(3, std::numeric_limits<double>::infinity());
  ExpectCovers(Sample(target, UnitStart(3), {}, 8), std::log(0.5));
}

TEST(ReferenceTest, ZeroOutsideOfABox) {
  const PointTarget target(4, [](const Eigen::VectorXd& z, Eigen::VectorXd* score) {
    score->setZero();
    const bool inside = z.minCoeff() >= 0 && z.maxCoeff() <= 2;
    return inside ? 0.0 : -std::numeric_limits<double>::infinity();
  });
  const std::vector<AffineGaussian> start{
      {Eigen::VectorXd::Ones(4), 0.6 * Eigen::MatrixXd::Identity(4, 4)}};
  const Reference reference = Sample(target, start, {}, 9);
  ExpectCovers(reference, 4 * std::log(2.0));
  EXPECT_GE(reference.draws.minCoeff(), 0);
  EXPECT_LE(reference.draws.maxCoeff(), 2);
}

TEST(ReferenceTest, NothingFiniteIsAnError) {
  const PointTarget target(2, [](const Eigen::VectorXd&, Eigen::VectorXd* score) {
    score->setConstant(kNan);
    return kNan;
  });
  ThreadPool pool(2);
  const auto result = SampleReference(target, UnitStart(2), {}, 1, pool);
  EXPECT_EQ(result.status().code(), absl::StatusCode::kFailedPrecondition);
}

TEST(ReferenceTest, TooFewEvaluationsAreAdmitted) {
  const PointTarget target =
      GaussianTarget(Eigen::VectorXd::Constant(10, 5), Eigen::MatrixXd::Identity(10, 10));
  const ReferenceOptions options{.pilot = false, .max_evaluations = 5'000};
  const Reference reference = Sample(target, UnitStart(10), options, 1);
  EXPECT_EQ(reference.end, ReferenceEnd::kNotAnnealed);
  EXPECT_EQ(reference.standard_error, std::numeric_limits<double>::infinity());
  EXPECT_EQ(reference.draws.cols(), 4096);
}

TEST(ReferenceTest, MoreRoundsUntilTheErrorIsSmallEnough) {
  const auto target = Logistic("waveform.csv");
  ASSERT_NE(target, nullptr);
  const std::vector<AffineGaussian> start = FittedStart(*target);
  const ReferenceOptions options{.particles = 64, .target_standard_error = 0.03};
  const Reference reference = Sample(*target, start, options, 2);
  EXPECT_EQ(reference.end, ReferenceEnd::kAccurate);
  EXPECT_LE(reference.standard_error, 0.03);
  EXPECT_GT(reference.rounds, 1);
  ExpectCovers(reference, -93.617);
}

TEST(ReferenceTest, EvaluationsEndTheRounds) {
  const auto target = test::Make("funnel", {{"dimension", 10.0}});
  const ReferenceOptions options{.target_standard_error = 1e-4, .max_evaluations = 60'000};
  const Reference reference = Sample(*target, FittedStart(*target), options, 2);
  EXPECT_EQ(reference.end, ReferenceEnd::kEvaluations);
  EXPECT_LT(reference.evaluations, 66'000);
}

TEST(ReferenceTest, SameBitsAtAnyNumberOfThreads) {
  const auto target = test::Make("funnel", {{"dimension", 4.0}});
  const std::vector<AffineGaussian> start = FittedStart(*target);
  const ReferenceOptions options{.particles = 128, .max_evaluations = 30'000};
  ThreadPool one(1);
  const absl::StatusOr<Reference> first = SampleReference(*target, start, options, 5, one);
  ASSERT_TRUE(first.ok()) << first.status();
  for (const int threads : {2, 3}) {
    ThreadPool pool(threads);
    const absl::StatusOr<Reference> other = SampleReference(*target, start, options, 5, pool);
    ASSERT_TRUE(other.ok()) << other.status();
    EXPECT_EQ(other->log_z, first->log_z);
    EXPECT_EQ(other->standard_error, first->standard_error);
    EXPECT_EQ(other->draws, first->draws);
    EXPECT_EQ(other->evaluations, first->evaluations);
  }
  const absl::StatusOr<Reference> another = SampleReference(*target, start, options, 6, one);
  ASSERT_TRUE(another.ok()) << another.status();
  EXPECT_NE(another->log_z, first->log_z);
}

ReferenceOptions Sgld(double step) {
  return {.kernel = AnnealingKernel::kSgld, .langevin_step = step, .target_standard_error = 0};
}

// The law of the steps at β = 1 has variance 1/(1 − h/4), and KL(π_h‖π) = D h²/64 to first order.
TEST(ReferenceTest, SgldIsWiderByItsStepAndSaysSo) {
  constexpr int kDim = 10;
  const PointTarget target =
      GaussianTarget(Eigen::VectorXd::Zero(kDim), Eigen::MatrixXd::Identity(kDim, kDim));
  ReferenceOptions options = Sgld(0.6);
  options.pilot = false;  // whose base is fitted to draws, not the metric that the formulas are for
  const Reference wide = Sample(target, UnitStart(kDim), options, 1);
  const double error = 4 * std::sqrt(2 / wide.ess / kDim);
  EXPECT_LT(error, 0.06);
  EXPECT_NEAR(wide.draws.array().square().mean(), 1 / (1 - 0.6 / 4), error);
  EXPECT_NEAR(wide.kernel_bias, 0.6 * std::sqrt(kDim) / (8 * std::sqrt(2.0)), 0.03);
  options.langevin_step = 0.05;
  const Reference narrow = Sample(target, UnitStart(kDim), options, 1);
  EXPECT_NEAR(narrow.kernel_bias, 0.05 * std::sqrt(kDim) / (8 * std::sqrt(2.0)), 0.003);
  EXPECT_GT(narrow.evaluations, 4 * wide.evaluations);
  options.kernel = AnnealingKernel::kHmc;
  const Reference exact = Sample(target, UnitStart(kDim), options, 1);
  EXPECT_NEAR(exact.draws.array().square().mean(), 1, 4 * std::sqrt(2 / exact.ess / kDim));
  EXPECT_EQ(exact.kernel_bias, 0);
}

// Steps far too long for a direction that is narrower than the metric: the chains run away, and
// what they leave tells.
TEST(ReferenceTest, SgldThatRunsAwayIsSeen) {
  const PointTarget target =
      GaussianTarget(Eigen::VectorXd::Zero(2), Eigen::Vector2d(1, 0.01).asDiagonal());
  ReferenceOptions options = Sgld(1);
  options.pilot = false;
  options.particles = 64;
  options.max_evaluations = 20'000;
  const Reference reference = Sample(target, UnitStart(2), options, 1);
  EXPECT_GT(reference.kernel_bias, 0.5);
  EXPECT_TRUE(reference.draws.allFinite());
}

TEST(ReferenceTest, SgldHasTheSameBitsAtAnyNumberOfThreads) {
  const auto target = test::Make("funnel", {{"dimension", 4.0}});
  const std::vector<AffineGaussian> start = FittedStart(*target);
  ReferenceOptions options = Sgld(0.2);
  options.particles = 64;
  ThreadPool one(1), three(3);
  const absl::StatusOr<Reference> first = SampleReference(*target, start, options, 5, one),
                                  other = SampleReference(*target, start, options, 5, three);
  ASSERT_TRUE(first.ok() && other.ok());
  EXPECT_EQ(other->log_z, first->log_z);
  EXPECT_EQ(other->draws, first->draws);
  EXPECT_EQ(other->kernel_bias, first->kernel_bias);
}

TEST(ReferenceTest, TheBiasIsThatOfTheWorstLevelWithMoves) {
  EXPECT_EQ(LangevinBias({}), 0);
  EXPECT_EQ(LangevinBias({{.beta = 1, .acceptance = 0, .step = 0}}), 0);
  EXPECT_NEAR(LangevinBias({{.beta = 0.5, .acceptance = 0.9, .step = 0.5},
                            {.beta = 1, .acceptance = 0.99, .step = 0.5}}),
              std::sqrt(M_PI) / 2 * 0.1 / 0.5, 1e-12);
}

TEST(ReferenceTest, CancelledBeforeItBegins) {
  const auto target = test::Make("banana");
  ThreadPool pool(2);
  const std::atomic<bool> cancel = true;
  const auto result = SampleReference(*target, UnitStart(2), {}, 1, pool, &cancel);
  EXPECT_EQ(result.status().code(), absl::StatusCode::kCancelled);
}

TEST(ReferenceTest, CancelledOnTheWayEndsSoon) {
  const auto target = test::Make("funnel", {{"dimension", 50.0}});
  ThreadPool pool(2);
  std::atomic<bool> cancel = false;
  std::chrono::steady_clock::time_point asked;
  std::thread caller([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    asked = std::chrono::steady_clock::now();
    cancel = true;
  });
  const ReferenceOptions options{.target_standard_error = 1e-6,
                                 .max_evaluations = int64_t{1} << 40};
  const auto result = SampleReference(*target, UnitStart(50), options, 1, pool, &cancel);
  caller.join();
  if (result.ok()) {
    EXPECT_EQ(result->end, ReferenceEnd::kStopped);
  } else {
    EXPECT_EQ(result.status().code(), absl::StatusCode::kCancelled);
  }
  EXPECT_LT(std::chrono::steady_clock::now() - asked, std::chrono::seconds(2));
}

TEST(ReferenceTest, RoundsThatWereDoneOutliveACancellation) {
  const auto target = test::Make("banana");
  ThreadPool pool(2);
  std::atomic<bool> cancel = false;
  ReferenceProgress last;
  const auto result =
      SampleReference(*target, FittedStart(*target), {.target_standard_error = 1e-6}, 1, pool,
                      &cancel, [&](const ReferenceProgress& progress) {
                        EXPECT_GE(progress.evaluations, last.evaluations);
                        last = progress;
                        if (progress.rounds == 2) cancel = true;
                      });
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->end, ReferenceEnd::kStopped);
  EXPECT_EQ(result->rounds, 2);
  EXPECT_EQ(result->log_z, last.log_z);
  ExpectCovers(*result, 0);
  EXPECT_EQ(result->draws.cols(), 4096);
}

TEST(ReferenceTest, BadInputIsNamed) {
  const auto target = test::Make("banana");
  ThreadPool pool(1);
  const auto error = [&](const std::vector<AffineGaussian>& start,
                         const ReferenceOptions& options) {
    const auto result = SampleReference(*target, start, options, 1, pool);
    EXPECT_EQ(result.status().code(), absl::StatusCode::kInvalidArgument);
    return std::string(result.status().message());
  };
  EXPECT_THAT(error({}, {}), HasSubstr("start:"));
  EXPECT_THAT(error(UnitStart(3), {}), HasSubstr("start:"));
  EXPECT_THAT(error(UnitStart(2, kNan), {}), HasSubstr("start:"));
  EXPECT_THAT(error(UnitStart(2), {.islands = 1}), HasSubstr("islands:"));
  EXPECT_THAT(error(UnitStart(2), {.particles = 8}), HasSubstr("particles:"));
  EXPECT_THAT(error(UnitStart(2), {.states = 1}), HasSubstr("states:"));
  EXPECT_THAT(error(UnitStart(2), {.ess_share = 1}), HasSubstr("ess_share:"));
  EXPECT_THAT(error(UnitStart(2), {.leapfrog_length = 0}), HasSubstr("leapfrog_length:"));
  for (const double step : {0.0, 1.1, kNan}) {
    EXPECT_THAT(error(UnitStart(2), {.langevin_step = step}), HasSubstr("langevin_step:"));
  }
  EXPECT_THAT(error(UnitStart(2), {.draws = 0}), HasSubstr("draws:"));
  EXPECT_THAT(error(UnitStart(2), {.target_standard_error = kNan}),
              HasSubstr("target_standard_error:"));
  EXPECT_THAT(error(UnitStart(2), {.max_evaluations = 10}), HasSubstr("max_evaluations:"));
}

}  // namespace
}  // namespace aisivi
