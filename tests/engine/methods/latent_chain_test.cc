#include "engine/methods/latent_chain.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/engine/methods/testing.h"

namespace aisivi {
namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;
using test::Get;
using test::Normals;
using test::Put;
using test::Random;

RngStream Momentum(uint32_t move) { return {7, RngPurpose::kChainMomentum, move, 0}; }
RngStream Accept(uint32_t move) { return {7, RngPurpose::kChainAccept, move, 0}; }

// ε given x is N(a x, σ₀² I) at the exact start.
class GaussianChainTest : public testing::Test {
 protected:
  GaussianChainTest() {
    family_.Initialize(1);
    Random random(4);
    const MatrixXd epsilon = Normals(kDim, kChains, 1, random);
    first_ = epsilon;
    x_ = kSlope * epsilon + kSigma * Normals(kDim, kChains, 1, random);
  }
  // (ε − a x)/σ₀: standard normal in equilibrium.
  MatrixXd Residuals(const MatrixXd& epsilon) const { return (epsilon - kSlope * x_) / kSigma; }

  static constexpr int64_t kDim = 5, kChains = 3000;
  static constexpr double kSigma = 0.5, kSlope = 0.8660254037844386;
  Family family_{{.dim = kDim, .latent_dim = kDim, .hidden = 4, .sigma_scale = 0.5f}};
  MatrixXd first_, x_;
};

TEST_F(GaussianChainTest, StaysInEquilibriumAndForgetsWhereItBegan) {
  Scratch scratch;
  const TileMap x = Put(x_, scratch), epsilon = Put(first_, scratch);
  LatentChain chain(family_, Const(x), Const(epsilon), scratch);
  double step = kFirstChainStep, accepted = 0;
  for (uint32_t move = 0; move < 60; ++move) {
    accepted = chain.Move(Momentum(move), Accept(move), step, 5) / kChains;
    step = NextChainStep(step, accepted);
  }
  EXPECT_NEAR(accepted, 0.8, 0.05);
  // In equilibrium all the while, at the step that was found: five moves more from a new beginning.
  LatentChain fresh(family_, Const(x), Const(Put(first_, scratch)), scratch);
  for (uint32_t move = 100; move < 105; ++move) fresh.Move(Momentum(move), Accept(move), step, 5);
  const MatrixXd before = Residuals(first_), after = Residuals(Get(fresh.epsilon()));
  const double count = static_cast<double>(after.size());
  EXPECT_NEAR(after.mean(), 0, 5 / std::sqrt(count));
  EXPECT_NEAR(after.squaredNorm() / count, 1, 5 * std::sqrt(2 / count));
  EXPECT_LT(std::abs(before.cwiseProduct(after).sum() / count), 0.1);
}

TEST_F(GaussianChainTest, AFarBeginningComesBack) {
  Scratch scratch;
  const TileMap x = Put(x_, scratch);
  LatentChain chain(family_, Const(x), Const(Put(first_.array() + 4, scratch)), scratch);
  for (uint32_t move = 0; move < 60; ++move) chain.Move(Momentum(move), Accept(move), 0.3, 5);
  const MatrixXd after = Residuals(Get(chain.epsilon()));
  EXPECT_NEAR(after.mean(), 0, 5 / std::sqrt(static_cast<double>(after.size())));
}

TEST_F(GaussianChainTest, WhatIsNotFiniteIsNotAccepted) {
  Scratch scratch;
  const TileMap x = Put(x_, scratch);
  LatentChain chain(family_, Const(x), Const(Put(first_, scratch)), scratch);
  EXPECT_EQ(chain.Move(Momentum(0), Accept(0), 1e30, 5), 0);
  EXPECT_EQ(Get(chain.epsilon()), Get(Put(first_, scratch)));
}

// Chains from the wrong end of the cube, and of the line, against quadrature.
TEST(LatentChainTest, ReachesTheConditionalOfABentFamily) {
  constexpr int64_t kChains = 4000;
  for (const bool gaussian : {true, false}) {
    Random random(5);
    test::Problem problem = test::MakeProblem({.dim = 1,
                                               .latent = 1,
                                               .skip = false,
                                               .gaussian = gaussian,
                                               .wildness = 0.5,
                                               .sigma = 0.4f},
                                              random);
    const Family& family = problem.family;
    const double at = test::Conditionals(family, MatrixXd::Constant(1, 1, 0.3)).mean(0, 0);
    const test::LatentGrid grid = test::MakeLatentGrid(family.config(), 2000);
    const test::ReferenceConditional q = test::Conditionals(family, grid.points);
    double total = 0, mean = 0, square = 0;
    for (int64_t i = 0; i < grid.points.cols(); ++i) {
      const double w = grid.weight[i] * std::exp(test::LogNormal(VectorXd::Constant(1, at),
                                                                 q.mean.col(i), q.sigma.col(i)));
      total += w;
      mean += w * grid.points(0, i);
      square += w * grid.points(0, i) * grid.points(0, i);
    }
    mean /= total;
    const double variance = square / total - mean * mean;
    Scratch scratch;
    const TileMap x = Put(MatrixXd::Constant(1, kChains, at), scratch);
    const TileMap begin = Put(MatrixXd::Constant(1, kChains, 0.9), scratch);
    LatentChain chain(family, Const(x), Const(begin), scratch);
    double step = kFirstChainStep;
    for (uint32_t move = 0; move < 200; ++move) {
      step = NextChainStep(step, chain.Move(Momentum(move), Accept(move), step, 5) / kChains);
    }
    const MatrixXd epsilon = Get(chain.epsilon());
    EXPECT_NEAR(epsilon.mean(), mean, 5 * std::sqrt(variance / kChains)) << gaussian;
    const double spread = (epsilon.array() - epsilon.mean()).square().mean();
    EXPECT_NEAR(spread, variance, 0.15 * variance) << gaussian;
  }
}

TEST(LatentScoreTest, IsTheDifferenceQuotientOfTheJointDensity) {
  constexpr double kStep = 1e-5;
  Random random(6);
  for (const test::ProblemShape& shape :
       {test::ProblemShape{.dim = 3, .latent = 3},
        test::ProblemShape{.dim = 3, .latent = 3, .sigma_network = true},
        test::ProblemShape{.dim = 3, .latent = 2, .skip = false},
        test::ProblemShape{.dim = 2, .latent = 4, .skip = false, .gaussian = false}}) {
    test::ProblemShape wild = shape;
    wild.wildness = 0.4;
    const Family family = test::MakeProblem(wild, random).family;
    const FamilyConfig& c = family.config();
    constexpr int64_t kColumns = 19;
    MatrixXd epsilon = Normals(c.latent_dim, kColumns, 1, random);
    if (!c.gaussian_latent) epsilon = (0.5 + 0.2 * epsilon.array().tanh()).matrix();
    epsilon = test::Rounded(epsilon);
    const MatrixXd x = test::Rounded(Normals(c.dim, kColumns, 1, random));
    const auto joint = [&](const MatrixXd& e, int64_t j) {
      const test::ReferenceConditional q = test::Conditionals(family, e);
      return test::LogPrior(c, e.col(j)) + test::LogNormal(x.col(j), q.mean.col(j), q.sigma.col(j));
    };
    Scratch scratch;
    TileMap gradient = TakeTile(scratch, c.latent_dim, kColumns);
    VectorXd value(kColumns);
    family.LatentScore(Const(Put(epsilon, scratch)), Const(Put(x, scratch)), scratch, value.data(),
                       gradient);
    for (int64_t j = 0; j < kColumns; ++j) {
      EXPECT_NEAR(value[j], joint(epsilon, j), 1e-3 * (1 + std::abs(value[j])));
      for (int64_t e = 0; e < c.latent_dim; ++e) {
        MatrixXd up = epsilon, down = epsilon;
        up(e, j) += kStep;
        down(e, j) -= kStep;
        const double expected = (joint(up, j) - joint(down, j)) / (2 * kStep);
        EXPECT_NEAR(gradient(e, j), expected, 2e-3 * (1 + std::abs(expected)));
      }
    }
  }
}

TEST(NextChainStepTest, FollowsTheAcceptanceAndStaysInBounds) {
  EXPECT_EQ(NextChainStep(0.3, 0.8), 0.3);
  EXPECT_GT(NextChainStep(0.3, 0.95), 0.3);
  EXPECT_LT(NextChainStep(0.3, 0.2), 0.3);
  double up = 0.1, down = 0.1;
  for (int i = 0; i < 1000; ++i) {
    up = NextChainStep(up, 1);
    down = NextChainStep(down, 0);
  }
  EXPECT_LE(up, 1.25);
  EXPECT_GT(down, 0);
}

}  // namespace
}  // namespace aisivi
