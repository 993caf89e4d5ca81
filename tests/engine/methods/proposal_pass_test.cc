#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "tests/engine/methods/testing.h"

namespace aisivi {
namespace {

using test::LatentGrid;
using test::MakeProblem;
using test::MarginalTruth;
using test::Normals;
using test::Problem;
using test::ProblemShape;
using test::Random;
using test::RunPass;

// log v of one inner sample, from the public densities.
double LogWeight(const Problem& problem, const Eigen::VectorXd& x, const Eigen::VectorXd& epsilon) {
  Scratch scratch;
  double log_tau = 0;
  const TileMap e = test::Put(epsilon, scratch), point = test::Put(x, scratch);
  problem.proposal.LogDensity(Const(e), Const(point), scratch, &log_tau);
  const test::ReferenceConditional q = test::Conditionals(problem.family, epsilon);
  return test::LogPrior(problem.family.config(), epsilon) +
         test::LogNormal(x, q.mean.col(0), q.sigma.col(0)) - log_tau;
}

// With one inner sample, the plain linear mean and a base without slope (so without the control
// variate) the score tells which ε was drawn: s = (a ε − x)/σ². Its weight must then be the density
// that comes with it, in tiles of any shape.
TEST(ProposalPassTest, OneSampleCarriesItsOwnWeight) {
  Random random(1);
  for (const int64_t dim : {1, 2, 3, 5, 8}) {
    for (const int64_t points : {1, 2, 9, 65, 200}) {
      Problem problem = MakeProblem({.dim = dim, .latent = dim, .wildness = 0}, random);
      ProposalConfig plain = problem.proposal.config();
      plain.slope = 0;
      problem.proposal = Proposal(plain);
      problem.proposal.Initialize(6);
      test::Perturb(0.2, random, &problem.proposal.parameters());
      const Eigen::MatrixXf x = Normals(dim, points, 1, random).cast<float>();
      const InnerEstimate estimate =
          RunPass(ProposalPass,
                  {.family = &problem.family, .proposal = &problem.proposal, .x = &x, .seed = 9});
      ASSERT_EQ(estimate.score.cols(), points);
      for (int64_t j = 0; j < points; ++j) {
        const Eigen::VectorXd point = x.col(j).cast<double>();
        const Eigen::VectorXd epsilon =
            (point + 0.25 * estimate.score.col(j)) / std::sqrt(1 - 0.25);
        const double expected = LogWeight(problem, point, epsilon);
        EXPECT_NEAR(estimate.log_density[j], expected, 3e-3 * (1 + std::abs(expected)))
            << "D " << dim << " m " << points << " j " << j;
        EXPECT_EQ(estimate.ess[j], 1);
      }
      // Neighbours draw different samples.
      if (points > 1) {
        EXPECT_GT(
            (estimate.score.col(0) - estimate.score.col(1) + (x.col(0) - x.col(1)).cast<double>())
                .norm(),
            1e-3);
      }
    }
  }
}

std::vector<ProblemShape> ProposalShapes() {
  return {
      {.dim = 1, .latent = 1},
      {.dim = 1, .latent = 1, .sigma_network = true, .couplings = 0},
      {.dim = 2, .latent = 2},
      {.dim = 2, .latent = 2, .sigma_network = true, .couplings = 5},
      {.dim = 2, .latent = 2, .couplings = 2, .coupling = CouplingKind::kSpline},
      {.dim = 3, .latent = 1, .skip = false, .couplings = 2, .sigma = 0.8f},
      {.dim = 3, .latent = 2, .skip = false, .couplings = 4, .sigma = 0.8f},
      {.dim = 2, .latent = 2, .skip = false, .gaussian = false, .wildness = 0.15, .sigma = 0.3f},
      {.dim = 1, .latent = 1, .skip = false, .gaussian = false, .wildness = 0.15, .sigma = 0.3f}};
}

// Points that the family itself draws, so that their densities are ordinary.
Eigen::MatrixXf Points(const Family& family, int64_t count, Random& random) {
  const FamilyConfig& c = family.config();
  Eigen::MatrixXd epsilon = Normals(c.latent_dim, count, 1, random);
  if (!c.gaussian_latent) {
    epsilon = epsilon.unaryExpr([](double v) { return 0.5 * std::erfc(-v / std::sqrt(2.0)); });
  }
  const test::ReferenceConditional q = test::Conditionals(family, epsilon);
  return (q.mean + q.sigma.cwiseProduct(Normals(c.dim, count, 1, random))).cast<float>();
}

// The mean over independent repeats and its standard error.
struct Mean {
  double value, error;
};
Mean MeanOf(const std::vector<double>& values) {
  const Eigen::Map<const Eigen::ArrayXd> v(values.data(), static_cast<int64_t>(values.size()));
  const double n = static_cast<double>(v.size());
  return {v.mean(), std::sqrt((v - v.mean()).square().sum() / (n * (n - 1)))};
}

// q̂ is unbiased at every K: narrow tiles of several points, one tile, several tiles, splits.
TEST(ProposalPassTest, TheDensityIsUnbiasedInTilesOfAnyShape) {
  constexpr int kRepeats = 40;
  Random random(2);
  for (const ProblemShape& shape : ProposalShapes()) {
    const Problem problem = MakeProblem(shape, random);
    const LatentGrid grid = test::MakeLatentGrid(problem.family.config(), 120);
    for (const auto& [points, k] :
         {std::pair<int64_t, int64_t>{21, 1}, {9, 5}, {17, 63}, {2, 150}, {1, 700}, {3, 1500}}) {
      const Eigen::MatrixXf x = Points(problem.family, points, random);
      const MarginalTruth truth = test::Marginal(problem.family, grid, x.cast<double>());
      std::vector<double> ratio;
      for (int repeat = 0; repeat < kRepeats; ++repeat) {
        const InnerEstimate estimate =
            RunPass(ProposalPass, {.family = &problem.family,
                                   .proposal = &problem.proposal,
                                   .x = &x,
                                   .seed = 100,
                                   .iteration = static_cast<uint32_t>(repeat),
                                   .samples = k,
                                   .want_score = false});
        ratio.push_back((estimate.log_density - truth.log_q).array().exp().mean());
        EXPECT_EQ(estimate.score.size(), 0) << "not asked for";
      }
      const Mean mean = MeanOf(ratio);
      EXPECT_NEAR(mean.value, 1, 5.5 * mean.error + 5e-5)
          << "D " << shape.dim << " E " << shape.latent << " m " << points << " K " << k;
      EXPECT_LT(mean.error, 0.25);
    }
  }
}

TEST(ProposalPassTest, DensityAndScoreFindTheQuadrature) {
  constexpr int kRepeats = 16;
  Random random(3);
  for (ProblemShape shape : ProposalShapes()) {
    // Wider than the reverse conditional, so that the weights have a variance.
    shape.proposal_sigma = 1.5f * shape.sigma;
    const Problem problem = MakeProblem(shape, random);
    const LatentGrid grid = test::MakeLatentGrid(problem.family.config(), 120);
    const Eigen::MatrixXf x = Points(problem.family, 5, random);
    const MarginalTruth truth = test::Marginal(problem.family, grid, x.cast<double>());
    std::vector<InnerEstimate> estimates;
    for (int repeat = 0; repeat < kRepeats; ++repeat) {
      estimates.push_back(RunPass(ProposalPass, {.family = &problem.family,
                                                 .proposal = &problem.proposal,
                                                 .x = &x,
                                                 .seed = static_cast<uint64_t>(repeat),
                                                 .samples = shape.gaussian ? 40000 : 160000}));
    }
    for (int64_t j = 0; j < x.cols(); ++j) {
      for (int64_t d = -1; d < shape.dim; ++d) {
        std::vector<double> values;
        for (const InnerEstimate& e : estimates) {
          values.push_back(d < 0 ? e.log_density[j] : e.score(d, j));
        }
        const double expected = d < 0 ? truth.log_q[j] : truth.score(d, j);
        const Mean mean = MeanOf(values);
        // The ratio of sums is biased by O(1/K); on the cube the weights at its faces have no
        // variance, so that it takes more of them.
        const double bias = 2e-3 * (1 + std::abs(expected));
        EXPECT_NEAR(mean.value, expected, 5 * mean.error + bias)
            << "D " << shape.dim << " E " << shape.latent << " coordinate " << d;
        EXPECT_LT(mean.error, 0.015 * (1 + std::abs(expected)));
      }
    }
  }
}

// A point that no inner sample reaches has weight zero, not a broken neighbour.
TEST(ProposalPassTest, ABrokenPointLeavesTheOthersAlone) {
  Random random(4);
  const Problem problem = MakeProblem({}, random);
  const Eigen::MatrixXf x = Normals(2, 6, 1, random).cast<float>();
  Eigen::MatrixXf broken = x;
  broken(0, 2) = NAN;
  broken(1, 4) = 1e30f;
  for (const int64_t k : {3, 40, 900}) {
    InnerRequest request{
        .family = &problem.family, .proposal = &problem.proposal, .x = &x, .samples = k};
    const InnerEstimate whole = RunPass(ProposalPass, request);
    request.x = &broken;
    const InnerEstimate rest = RunPass(ProposalPass, request);
    for (const int64_t j : {0, 1, 3, 5}) {
      EXPECT_EQ(whole.log_density[j], rest.log_density[j]);
      EXPECT_EQ(Eigen::VectorXd(whole.score.col(j)), Eigen::VectorXd(rest.score.col(j)));
    }
    EXPECT_FALSE(std::isfinite(rest.log_density[2]));
    EXPECT_FALSE(rest.log_density[4] > 0);
  }
}

}  // namespace
}  // namespace aisivi
