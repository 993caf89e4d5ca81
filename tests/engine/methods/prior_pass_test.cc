#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "engine/methods/tiling.h"
#include "tests/engine/methods/testing.h"

namespace aisivi {
namespace {

using test::MakeProblem;
using test::Normals;
using test::Problem;
using test::ProblemShape;
using test::Random;
using test::RunPass;

// The inner samples of the pass: tile t of kSharedTile columns comes from shard t.
Eigen::MatrixXd SharedLatents(const Family& family, const InnerRequest& request) {
  Eigen::MatrixXd epsilon(family.latent_dim(), request.samples);
  for (int64_t t = 0; t * kSharedTile < request.samples; ++t) {
    Scratch scratch;
    const int64_t n = std::min(kSharedTile, request.samples - t * kSharedTile);
    TileMap tile = TakeTile(scratch, family.latent_dim(), n);
    family.SampleLatent(
        {request.seed, request.purpose, request.iteration, static_cast<uint32_t>(t)}, tile);
    epsilon.middleCols(t * kSharedTile, n) = test::Get(tile);
  }
  return epsilon;
}

struct Reference {
  Eigen::VectorXd log_density, ess;
  Eigen::MatrixXd score;
};

Reference AllAtOnce(const Family& family, const Eigen::MatrixXd& epsilon,
                    const Eigen::MatrixXd& x) {
  const test::ReferenceConditional q = test::Conditionals(family, epsilon);
  const int64_t m = x.cols(), k = epsilon.cols();
  Reference result{Eigen::VectorXd(m), Eigen::VectorXd(m), Eigen::MatrixXd(x.rows(), m)};
  for (int64_t j = 0; j < m; ++j) {
    Eigen::VectorXd log_w(k);
    for (int64_t i = 0; i < k; ++i) {
      log_w[i] = test::LogNormal(x.col(j), q.mean.col(i), q.sigma.col(i));
    }
    const double top = log_w.maxCoeff();
    const Eigen::VectorXd w = (log_w.array() - top).exp();
    Eigen::VectorXd score = Eigen::VectorXd::Zero(x.rows());
    for (int64_t i = 0; i < k; ++i) {
      score += w[i] * test::NormalScore(x.col(j), q.mean.col(i), q.sigma.col(i));
    }
    result.log_density[j] = top + std::log(w.sum() / static_cast<double>(k));
    result.ess[j] = w.sum() * w.sum() / w.squaredNorm() / static_cast<double>(k);
    result.score.col(j) = score / w.sum();
  }
  return result;
}

void ExpectEstimateNear(const InnerEstimate& value, const Reference& reference,
                        const std::string& what) {
  for (int64_t j = 0; j < reference.log_density.size(); ++j) {
    const double log_q = reference.log_density[j];
    EXPECT_NEAR(value.log_density[j], log_q, 2e-4 * (1 + std::abs(log_q))) << what;
    EXPECT_NEAR(value.ess[j], reference.ess[j], 2e-3 * reference.ess[j] + 1e-4) << what;
    EXPECT_LT((value.score.col(j) - reference.score.col(j)).norm(),
              2e-3 * (1 + reference.score.col(j).norm()))
        << what;
  }
}

std::vector<ProblemShape> PriorShapes() {
  return {{.dim = 1, .latent = 1},
          {.dim = 1, .latent = 1, .sigma_network = true},
          {.dim = 2, .latent = 2, .sigma = 0.2f},
          {.dim = 5, .latent = 5, .sigma_network = true},
          {.dim = 3, .latent = 1, .skip = false, .sigma = 0.8f},
          {.dim = 7, .latent = 4, .skip = false, .gaussian = false, .sigma = 0.5f}};
}

TEST(PriorPassTest, IsOneBigBatchInDoublePrecision) {
  Random random(1);
  for (const ProblemShape& shape : PriorShapes()) {
    const Problem problem = MakeProblem(shape, random);
    for (const auto& [points, k] :
         {std::pair<int64_t, int64_t>{1, 1}, {7, 1}, {3, 255}, {130, 256}, {5, 257}, {1, 3000}}) {
      const Eigen::MatrixXf x = Normals(shape.dim, points, 1, random).cast<float>();
      const InnerRequest request{.family = &problem.family,
                                 .x = &x,
                                 .seed = 5,
                                 .purpose = RngPurpose::kLogDensity,
                                 .iteration = 3,
                                 .samples = k};
      const Reference reference =
          AllAtOnce(problem.family, SharedLatents(problem.family, request), x.cast<double>());
      ExpectEstimateNear(RunPass(PriorPass, request), reference,
                         "D " + std::to_string(shape.dim) + " K " + std::to_string(k));
    }
  }
}

TEST(PriorPassTest, OwnLatentsAreInnerSamplesOfAllPoints) {
  Random random(2);
  for (const ProblemShape& shape : PriorShapes()) {
    const Problem problem = MakeProblem(shape, random);
    for (const int64_t points : {1, 33, 300}) {
      const Eigen::MatrixXf x = Normals(shape.dim, points, 1, random).cast<float>();
      const Eigen::MatrixXf own = Normals(shape.latent, points, 1, random).cast<float>();
      const InnerRequest request{
          .family = &problem.family, .x = &x, .own_epsilon = &own, .seed = 6, .samples = 70};
      Eigen::MatrixXd epsilon(shape.latent, 70 + points);
      epsilon << SharedLatents(problem.family, request), own.cast<double>();
      ExpectEstimateNear(RunPass(PriorPass, request),
                         AllAtOnce(problem.family, epsilon, x.cast<double>()),
                         "D " + std::to_string(shape.dim) + " m " + std::to_string(points));
    }
  }
}

// Points away from the origin in units of a small σ: the exponents must not cancel.
TEST(PriorPassTest, FarFromTheOriginNothingCancels) {
  Random random(3);
  for (const bool network : {false, true}) {
    const Problem problem =
        MakeProblem({.sigma_network = network, .wildness = 0.02, .sigma = 0.05f}, random);
    Eigen::MatrixXf x = Normals(2, 9, 0.3, random).cast<float>();
    x.array() += 2.5f;
    const InnerRequest request{.family = &problem.family, .x = &x, .samples = 4000};
    const InnerEstimate estimate = RunPass(PriorPass, request);
    const Reference reference =
        AllAtOnce(problem.family, SharedLatents(problem.family, request), x.cast<double>());
    for (int64_t j = 0; j < x.cols(); ++j) {
      EXPECT_NEAR(estimate.log_density[j], reference.log_density[j], 0.01);
      EXPECT_LT((estimate.score.col(j) - reference.score.col(j)).norm(),
                0.02 * (1 + reference.score.col(j).norm()));
    }
  }
}

// log q̂ in double precision from the means and scales that the networks give.
Eigen::VectorXd LogDensities(const Family& family, const Eigen::MatrixXd& epsilon,
                             const Eigen::MatrixXd& x) {
  Scratch scratch;
  const TileMap tile = test::Put(epsilon, scratch);
  const Conditional q = family.Evaluate(Const(tile), scratch);
  Eigen::VectorXd result(x.cols());
  for (int64_t j = 0; j < x.cols(); ++j) {
    Eigen::ArrayXd log_w(epsilon.cols());
    for (int64_t i = 0; i < epsilon.cols(); ++i) {
      const Eigen::VectorXd inv = q.inv_sigma.col(q.shared_sigma ? 0 : i).cast<double>();
      log_w[i] = test::LogNormal(x.col(j), q.mean.col(i).cast<double>(), inv.cwiseInverse());
    }
    const double top = log_w.maxCoeff();
    result[j] = top + std::log((log_w - top).exp().mean());
  }
  return result;
}

// |x|/σ up to 3,000, all around the centre, so that no shift of the origin helps: the terms of the
// exponents are some 10^7, the exponents that count about 1.
TEST(PriorPassTest, DistancesDoNotCancel) {
  Random random(6);
  for (const bool network : {false, true}) {
    for (const int64_t dim : {1, 2, 40}) {
      // In more dimensions no sample comes near a point but its own.
      const Problem problem = MakeProblem(
          {.dim = dim, .latent = dim, .sigma_network = network, .wildness = 0.002, .sigma = 0.001f},
          random);
      const Eigen::MatrixXf own = Normals(dim, 40, 1, random).cast<float>();
      const test::ReferenceConditional q = test::Conditionals(problem.family, own.cast<double>());
      const Eigen::MatrixXf x =
          (q.mean + q.sigma.cwiseProduct(Normals(dim, 40, 1, random))).cast<float>();
      for (const bool score : {true, false}) {
        const InnerRequest request{.family = &problem.family,
                                   .x = &x,
                                   .own_epsilon = &own,
                                   .samples = 3000,
                                   .want_score = score};
        Eigen::MatrixXd epsilon(dim, 3040);
        epsilon << SharedLatents(problem.family, request), own.cast<double>();
        const Eigen::VectorXd expected = LogDensities(problem.family, epsilon, x.cast<double>());
        const InnerEstimate estimate = RunPass(PriorPass, request);
        for (int64_t j = 0; j < x.cols(); ++j) {
          // The means come from a network in single precision: 6e-8 of 3,000 σ, times a residual
          // of a few σ, is what remains.
          EXPECT_NEAR(estimate.log_density[j], expected[j], 1e-3)
              << "D " << dim << " network " << network;
        }
      }
    }
  }
}

TEST(PriorPassTest, ScoresOnlyWhenWanted) {
  Random random(4);
  const Problem problem = MakeProblem({}, random);
  const Eigen::MatrixXf x = Normals(2, 4, 1, random).cast<float>();
  InnerRequest request{.family = &problem.family, .x = &x, .samples = 500};
  const InnerEstimate with = RunPass(PriorPass, request);
  request.want_score = false;
  const InnerEstimate without = RunPass(PriorPass, request);
  EXPECT_EQ(without.score.size(), 0);
  // A score alone may have come from products in single precision.
  EXPECT_LT((with.log_density - without.log_density).cwiseAbs().maxCoeff(), 1e-5);
  EXPECT_LT((with.ess - without.ess).cwiseAbs().maxCoeff(), 1e-5);
}

TEST(PriorPassTest, ABrokenPointLeavesTheOthersAlone) {
  Random random(5);
  for (const bool network : {false, true}) {
    const Problem problem = MakeProblem({.sigma_network = network}, random);
    Eigen::MatrixXf x = Normals(2, 6, 1, random).cast<float>();
    x(0, 2) = NAN;
    const InnerRequest request{.family = &problem.family, .x = &x, .samples = 600};
    const InnerEstimate estimate = RunPass(PriorPass, request);
    const Eigen::MatrixXd epsilon = SharedLatents(problem.family, request);
    for (const int64_t j : {0, 1, 3, 4, 5}) {
      const Reference reference = AllAtOnce(problem.family, epsilon, x.col(j).cast<double>());
      EXPECT_NEAR(estimate.log_density[j], reference.log_density[0], 1e-3);
      EXPECT_LT((estimate.score.col(j) - reference.score.col(0)).norm(), 1e-2);
    }
    EXPECT_FALSE(std::isfinite(estimate.log_density[2]));
  }
}

}  // namespace
}  // namespace aisivi
