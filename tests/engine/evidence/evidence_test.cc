#include "engine/evidence/evidence.h"

#include <gtest/gtest.h>

#include <Eigen/Cholesky>
#include <cmath>
#include <limits>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "engine/evidence/pareto.h"
#include "tests/engine/evidence/testing.h"

namespace aisivi {
namespace {

using test::ExpectRefused;
using test::Gaussian;
using test::LineGaussian;
using test::MakeComponent;
using test::MakeModel;
using test::Normals;
using test::Random;
using test::TwoComponents;
using test::WrongLineModel;

TEST(EvidenceTest, ExactOnAGaussianFromTheExactStart) {
  Random random(1);
  ThreadPool pool(2);
  for (const bool network : {false, true}) {
    for (const int64_t dim : {1, 2, 5}) {
      const Eigen::VectorXd mean = Normals(dim, 1, 3, random);
      const Eigen::MatrixXd scale = test::RandomScale(dim, random);
      const auto target = Gaussian(mean, scale * scale.transpose());
      const auto model = MakeModel({MakeComponent(
          {.dim = dim, .latent = dim, .sigma_network = network}, mean, scale, 1, random)});
      for (const int64_t k : {1, 50}) {
        const auto estimate = EstimateEvidence(*model, *target, 3, 500, k, pool);
        ASSERT_TRUE(estimate.ok()) << estimate.status();
        EXPECT_NEAR(estimate->log_z, 0, 1e-4);
        EXPECT_NEAR(estimate->elbo_lower, 0, 1e-4);
        EXPECT_NEAR(estimate->elbo_upper, 0, 1e-4);
        EXPECT_LT(estimate->standard_error, 1e-4);
        EXPECT_NEAR(estimate->ess, 500, 0.1);
        EXPECT_EQ(estimate->draws, 500);
        EXPECT_EQ(estimate->inner_samples, k);
        EXPECT_EQ(estimate->non_finite, 0);
      }
    }
  }
}

TEST(EvidenceTest, DrawsHaveTheMomentsOfTheModel) {
  Random random(2);
  ThreadPool pool(2);
  const Eigen::VectorXd mean = Normals(3, 1, 2, random);
  const Eigen::MatrixXd scale = test::RandomScale(3, random);
  const auto model = MakeModel({MakeComponent({.dim = 3, .latent = 3}, mean, scale, 1, random)});
  constexpr int64_t kCount = 40000;
  const auto batch = Draw(*model, nullptr, 5, 0, kCount, 0, pool);
  ASSERT_TRUE(batch.ok()) << batch.status();
  EXPECT_EQ(batch->log_p.size(), 0);
  EXPECT_EQ(batch->log_q.size(), 0);
  const Eigen::MatrixXd x = scale.triangularView<Eigen::Lower>().solve(batch->z.colwise() - mean);
  const double se = 1 / std::sqrt(1.0 * kCount);
  EXPECT_LT(x.rowwise().mean().cwiseAbs().maxCoeff(), 5 * se);
  const Eigen::MatrixXd second = x * x.transpose() / kCount;
  EXPECT_LT((second - Eigen::MatrixXd::Identity(3, 3)).cwiseAbs().maxCoeff(), 7 * se);
}

TEST(EvidenceTest, ComponentsAreDrawnByTheirWeights) {
  ThreadPool pool(2);
  const auto batch = Draw(*TwoComponents(40), nullptr, 5, 0, 20000, 0, pool);
  ASSERT_TRUE(batch.ok()) << batch.status();
  const double left = (batch->z.array() < 0).cast<double>().mean();
  EXPECT_NEAR(left, 0.3, 5 * std::sqrt(0.3 * 0.7 / 20000));
}

TEST(EvidenceTest, TheSequenceDoesNotDependOnItsCuts) {
  const auto target = LineGaussian(0, 1);
  for (const auto& model : {WrongLineModel(3), TwoComponents(3), WrongLineModel(3, false)}) {
    ThreadPool one(1), three(3);
    const auto whole = Draw(*model, target.get(), 9, 0, 700, 8, one);
    ASSERT_TRUE(whole.ok()) << whole.status();
    const std::vector<int64_t> cuts = {0, 1, 100, 256, 257, 600, 700};
    for (size_t i = 0; i + 1 < cuts.size(); ++i) {
      const int64_t first = cuts[i], count = cuts[i + 1] - first;
      const auto part = Draw(*model, target.get(), 9, first, count, 8, three);
      ASSERT_TRUE(part.ok()) << part.status();
      EXPECT_EQ(part->z, whole->z.middleCols(first, count));
      EXPECT_EQ(part->log_p, whole->log_p.segment(first, count));
      EXPECT_EQ(part->log_q, whole->log_q.segment(first, count));
      EXPECT_EQ(part->log_q_upper, whole->log_q_upper.segment(first, count));
      const auto bare = Draw(*model, nullptr, 9, first, count, 0, three);
      ASSERT_TRUE(bare.ok());
      EXPECT_EQ(bare->z, part->z) << "the density terms change the draws";
    }
    const auto other = Draw(*model, nullptr, 10, 0, 700, 0, one);
    EXPECT_NE(other->z, whole->z);
  }
}

// The ELBO of a model in one dimension, by quadrature.
double Elbo(const Model& model, const Target& target) {
  constexpr int64_t kCells = 600;
  constexpr double kLow = -9, kHigh = 9;
  const double step = (kHigh - kLow) / kCells;
  const Eigen::MatrixXd z =
      Eigen::RowVectorXd::LinSpaced(kCells, kLow + step / 2, kHigh - step / 2);
  const Eigen::VectorXd log_q = test::LineLogDensity(model.state(), z);
  Eigen::VectorXd log_p;
  EXPECT_TRUE(target.Evaluate(z, &log_p, nullptr).ok());
  EXPECT_NEAR(log_q.array().exp().sum() * step, 1, 1e-4);
  return (log_q.array().exp() * (log_p - log_q).array()).sum() * step;
}

TEST(EvidenceTest, TheSandwichHoldsTheElbo) {
  ThreadPool pool(2);
  const auto target = LineGaussian(0.3, 1);
  for (const auto& model : {WrongLineModel(5), TwoComponents(3), WrongLineModel(3, false)}) {
    const double elbo = Elbo(*model, *target);
    double last_width = std::numeric_limits<double>::infinity();
    for (const int64_t k : {2, 16, 128}) {
      const auto e = EstimateEvidence(*model, *target, 11, 20000, k, pool);
      ASSERT_TRUE(e.ok()) << e.status();
      EXPECT_LT(e->elbo_lower, elbo + 4 * e->elbo_lower_se + 1e-4) << k;
      EXPECT_GT(e->elbo_upper, elbo - 4 * e->elbo_upper_se - 1e-4) << k;
      EXPECT_LE(e->elbo_lower, e->elbo_upper) << k;
      const double width = e->elbo_upper - e->elbo_lower;
      EXPECT_LT(width, last_width) << "the sandwich narrows with K";
      last_width = width;
    }
    EXPECT_LT(last_width, 0.05);
  }
}

// E[p̃/q̂₊] = Z exactly at any K, however wrong the model; Z is 1 here.
TEST(EvidenceTest, TheEvidenceIsUnbiasedAtEveryK) {
  ThreadPool pool(2);
  const auto target = LineGaussian(0.3, 0.8);
  for (const auto& model : {WrongLineModel(1), WrongLineModel(2), WrongLineModel(4, false),
                            TwoComponents(1), TwoComponents(3), TwoComponents(1, false)}) {
    for (const int64_t k : {1, 3, 20}) {
      const auto draws = Draw(*model, target.get(), 21, 0, 30000, k, pool);
      ASSERT_TRUE(draws.ok()) << draws.status();
      const Eigen::ArrayXd w = (draws->log_p - draws->log_q).array().exp();
      const double n = static_cast<double>(w.size());
      const double se = std::sqrt((w - w.mean()).square().sum() / (n * (n - 1)));
      EXPECT_NEAR(w.mean(), 1, 4.5 * se) << "K " << k;
      EXPECT_LT(se, 0.08) << "too noisy to tell";
      const EvidenceEstimate e = EvidenceFromDraws(*draws, k);
      EXPECT_NEAR(e.log_z, std::log(w.mean()), 1e-9);
      const double hidden = (w.maxCoeff() / w.mean() - 1) / n * TailBeyond(e.pareto_k);
      if (draws->groups.size == 1) {
        EXPECT_NEAR(e.standard_error, std::hypot(se / w.mean(), hidden), 1e-9);
      } else {
        EXPECT_GE(e.standard_error, std::hypot(se / w.mean(), hidden) - 1e-9);
      }
    }
  }
}

// Without a proposal the draws of a group share their inner samples, and their errors: seeds tell
// how far log Ẑ and the bounds really scatter. (Over draws of q itself each inner sample's density
// has mean 1 whatever ε it is, so that the shared error shows where p is not q.)
TEST(EvidenceTest, StandardErrorsHoldWhatDrawsShare) {
  ThreadPool pool(2);
  const auto target = LineGaussian(1, 0.5);
  constexpr int kRuns = 200;
  constexpr int64_t kDraws = 1024;
  Random random(3);
  const auto model =
      MakeModel({test::MakeLineComponent({.proposal = false, .wildness = 0.02}, 0, 1, 1, random)});
  Eigen::ArrayXd log_z(kRuns), lower(kRuns), upper(kRuns);
  double log_z_se = 0, lower_se = 0, upper_se = 0, independent = 0, ess = 0;
  for (int run = 0; run < kRuns; ++run) {
    const auto draws = Draw(*model, target.get(), 100 + run, 0, kDraws, 4, pool);
    ASSERT_TRUE(draws.ok());
    const EvidenceEstimate e = EvidenceFromDraws(*draws, 4);
    log_z[run] = e.log_z;
    lower[run] = e.elbo_lower;
    upper[run] = e.elbo_upper;
    lower_se += e.elbo_lower_se * e.elbo_lower_se / kRuns;
    upper_se += e.elbo_upper_se * e.elbo_upper_se / kRuns;
    const Eigen::ArrayXd w = (draws->log_p - draws->log_q).array().exp();
    const double seen = StandardError(w.matrix(), draws->groups) / w.mean();
    EXPECT_GE(e.standard_error, seen);  // which holds what the tail hides, too
    log_z_se += seen * seen / kRuns;
    independent += (w / w.mean() - 1).square().mean() / kDraws / kRuns;
    ess += e.ess / kRuns;
  }
  const auto spread = [](const Eigen::ArrayXd& v) {
    return std::sqrt((v - v.mean()).square().sum() / static_cast<double>(v.size() - 1));
  };
  // Student's factor for 16 groups is 1.09.
  EXPECT_NEAR(std::sqrt(log_z_se) / spread(log_z), 1.09, 0.17);
  EXPECT_NEAR(std::sqrt(lower_se) / spread(lower), 1.09, 0.17);
  EXPECT_NEAR(std::sqrt(upper_se) / spread(upper), 1.09, 0.17);
  EXPECT_LT(std::sqrt(independent), 0.6 * spread(log_z)) << "the test tests nothing";
  const double variance = std::pow(spread(log_z), 2) * kDraws;
  EXPECT_NEAR(ess / kDraws, 1 / (1 + variance), 0.1);
}

// p uniform on (0, 1) and q on (0, 2): log Z = 0, and half of the draws fall where p̃ is zero.
TEST(EvidenceTest, LeavingTheSupportIsNoGain) {
  constexpr int64_t kDraws = 2000;
  std::mt19937_64 random(1);
  std::bernoulli_distribution inside(0.5);
  DrawBatch draws;
  draws.z = Eigen::MatrixXd::Zero(1, kDraws);
  draws.log_q = draws.log_q_upper = Eigen::VectorXd::Constant(kDraws, -std::log(2.0));
  draws.log_p.resize(kDraws);
  for (double& v : draws.log_p) v = inside(random) ? 0 : -std::numeric_limits<double>::infinity();
  const EvidenceEstimate e = EvidenceFromDraws(draws, 1);
  const double se = std::sqrt(1.0 / kDraws);  // of the share, relative
  EXPECT_NEAR(e.elbo_lower_se, se, 0.1 * se);
  EXPECT_NEAR(e.elbo_upper_se, se, 0.1 * se);
  EXPECT_NEAR(e.elbo_lower, 0, 4 * se);
  EXPECT_NEAR(e.elbo_upper, 0, 4 * se);
  EXPECT_NEAR(e.elbo_lower, e.log_z, 1e-12) << "q restricted to the support is p";
}

// A half normal, by draws of a whole one.
TEST(EvidenceTest, ATargetThatIsZeroSomewhereKeepsTheBound) {
  class HalfNormal : public Target {
   public:
    int dim() const override { return 1; }
    absl::Status Evaluate(const Eigen::Ref<const Eigen::MatrixXd>& z, Eigen::VectorXd* log_p,
                          Eigen::MatrixXd*) const override {
      *log_p = -0.5 * z.row(0).transpose().array().square() - 0.5 * test::kLogTwoPi;
      for (int64_t j = 0; j < z.cols(); ++j) {
        if (z(0, j) < 0) (*log_p)[j] = -std::numeric_limits<double>::infinity();
      }
      return absl::OkStatus();
    }
  };
  ThreadPool pool(2);
  const auto e = EstimateEvidence(*test::StandardNormal(), HalfNormal(), 2, 4000, 8, pool);
  ASSERT_TRUE(e.ok()) << e.status();
  EXPECT_LT(e->elbo_lower, std::log(0.5) + 4 * e->elbo_lower_se);
  EXPECT_NEAR(e->elbo_lower, std::log(0.5), 0.07);
  EXPECT_NEAR(e->log_z, std::log(0.5), 0.07);
}

// Weights with a Pareto tail of shape 0.6, whose variance is infinite: log Ẑ falls short more often
// than not, and by more than the sample variance lets one expect.
TEST(EvidenceTest, TheStandardErrorCoversWhatATailHides) {
  constexpr double kShape = 0.6;
  constexpr int64_t kDraws = 4096;
  constexpr int kRuns = 400;
  int covered = 0, covered_by_the_delta_method = 0;
  for (uint32_t seed = 0; seed < kRuns; ++seed) {
    std::mt19937_64 random(seed);
    std::uniform_real_distribution<double> uniform(0, 1);
    DrawBatch draws;
    draws.z = Eigen::MatrixXd::Zero(1, kDraws);
    draws.log_q = draws.log_q_upper = Eigen::VectorXd::Zero(kDraws);
    draws.log_p.resize(kDraws);
    for (double& w : draws.log_p) w = -kShape * std::log1p(-uniform(random));
    const EvidenceEstimate e = EvidenceFromDraws(draws, 1);
    const Eigen::ArrayXd w = draws.log_p.array().exp();
    const double se = std::sqrt((w - w.mean()).square().sum()) / kDraws / w.mean();
    const double error = std::abs(e.log_z + std::log(1 - kShape));
    covered += error < 3 * e.standard_error;
    covered_by_the_delta_method += error < 3 * se;
  }
  EXPECT_GE(covered, 0.95 * kRuns);
  EXPECT_LT(covered_by_the_delta_method, covered);
}

TEST(EvidenceTest, WeightsThatAreNotFiniteCountAsZero) {
  DrawBatch draws;
  draws.z = Eigen::MatrixXd::Zero(1, 6);
  draws.log_p = Eigen::VectorXd::Zero(6);
  draws.log_q = Eigen::VectorXd::Zero(6);
  draws.log_q_upper = Eigen::VectorXd::Constant(6, -0.5);
  draws.log_p[1] = -std::numeric_limits<double>::infinity();
  draws.log_p[4] = std::numeric_limits<double>::quiet_NaN();
  draws.log_q[5] = std::numeric_limits<double>::quiet_NaN();
  const EvidenceEstimate e = EvidenceFromDraws(draws, 10);
  EXPECT_EQ(e.draws, 6);
  EXPECT_EQ(e.non_finite, 3);
  EXPECT_NEAR(e.log_z, std::log(0.5), 1e-12);
  EXPECT_NEAR(e.elbo_lower, std::log(0.5), 1e-12);
  EXPECT_NEAR(e.elbo_upper, 0.5 + std::log(0.5), 1e-12);
  EXPECT_NEAR(e.ess, 3, 1e-12);
  draws.log_p.setConstant(std::numeric_limits<double>::quiet_NaN());
  const EvidenceEstimate none = EvidenceFromDraws(draws, 10);
  EXPECT_EQ(none.non_finite, 6);
  EXPECT_TRUE(std::isnan(none.log_z));
}

// A component whose trained σ reaches 40 times as far as its start does: leaving it out of q̂₊ where
// its Gaussian is negligible would lift the lower bound above the ELBO.
TEST(EvidenceTest, TheBoundHoldsWhereATrainedComponentReachesFar) {
  ThreadPool pool(2);
  Random random(2);
  test::ComponentShape shape{.sigma_network = true, .proposal = false, .wildness = 0.02};
  std::vector<Component> components = {test::MakeLineComponent(shape, 0, 5, 0.07, random),
                                       test::MakeLineComponent(shape, 40, 1, 0.93, random)};
  Eigen::VectorXf& wide = components[1].family.parameters();
  wide[wide.size() - 1] = 10;
  const auto model = MakeModel(std::move(components));
  const auto target = LineGaussian(40, 45);
  const Eigen::MatrixXd grid = Eigen::RowVectorXd::LinSpaced(4000, -400, 480);
  const Eigen::VectorXd log_q = test::LineLogDensity(model->state(), grid);
  Eigen::VectorXd log_p;
  ASSERT_TRUE(target->Evaluate(grid, &log_p, nullptr).ok());
  const Eigen::ArrayXd mass = log_q.array().exp() * 880 / 3999;
  ASSERT_NEAR(mass.sum(), 1, 1e-3);
  const double elbo = (mass * (log_p - log_q).array()).sum();
  const auto e = EstimateEvidence(*model, *target, 4, 20000, 4096, pool);
  ASSERT_TRUE(e.ok());
  EXPECT_LT(e->elbo_lower_se, 0.012);
  EXPECT_LT(e->elbo_lower, elbo + 3 * e->elbo_lower_se);
  EXPECT_GT(e->elbo_upper, elbo - 3 * e->elbo_upper_se);
  EXPECT_NEAR(e->log_z, 0, 0.05);
}

TEST(EvidenceTest, BadArgumentsAreRefusedByName) {
  ThreadPool pool(1);
  const auto model = WrongLineModel(1);
  const auto target = LineGaussian(0, 1);
  const auto plane = Gaussian(Eigen::VectorXd::Zero(2), Eigen::MatrixXd::Identity(2, 2));
  constexpr int64_t kHuge = int64_t{1} << 40;
  ExpectRefused(Draw(*model, nullptr, 1, -1, 5, 0, pool).status(), "first");
  ExpectRefused(Draw(*model, nullptr, 1, 0, -1, 0, pool).status(), "count");
  ExpectRefused(Draw(*model, nullptr, 1, 0, kHuge, 0, pool).status(), "count");
  ExpectRefused(Draw(*model, nullptr, 1, 0, 5, -1, pool).status(), "inner_samples");
  ExpectRefused(Draw(*model, nullptr, 1, 0, 5, kHuge, pool).status(), "inner_samples");
  ExpectRefused(Draw(*model, plane.get(), 1, 0, 5, 1, pool).status(), "target");
  ExpectRefused(EstimateEvidence(*model, *target, 1, 1, 5, pool).status(), "draws");
  ExpectRefused(EstimateEvidence(*model, *target, 1, 10, 0, pool).status(), "inner_samples");
  ExpectRefused(EstimateEvidence(*model, *plane, 1, 10, 5, pool).status(), "target");
}

TEST(EvidenceTest, NothingAskedNothingGiven) {
  ThreadPool pool(1);
  const auto model = WrongLineModel(1);
  const auto batch = Draw(*model, nullptr, 1, 5, 0, 3, pool);
  ASSERT_TRUE(batch.ok());
  EXPECT_EQ(batch->z.cols(), 0);
}

TEST(EvidenceTest, CancelIsHeeded) {
  ThreadPool pool(1);
  const std::atomic<bool> cancel{true};
  const auto model = WrongLineModel(1);
  const auto target = LineGaussian(0, 1);
  EXPECT_EQ(Draw(*model, nullptr, 1, 0, 1000, 5, pool, &cancel).status().code(),
            absl::StatusCode::kCancelled);
  EXPECT_EQ(EstimateEvidence(*model, *target, 1, 1000, 5, pool, &cancel).status().code(),
            absl::StatusCode::kCancelled);
}

}  // namespace
}  // namespace aisivi
