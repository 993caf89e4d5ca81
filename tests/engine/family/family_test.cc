#include "engine/family/family.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "tests/engine/family/testing.h"

namespace aisivi {
namespace {

using test::Conditionals;
using test::Get;
using test::Normals;
using test::Put;
using test::Random;
using test::ReferenceConditional;

FamilyConfig Skip(int64_t dim, int64_t hidden, bool sigma_network, float sigma = 0.3f) {
  return {.dim = dim,
          .latent_dim = dim,
          .hidden = hidden,
          .gaussian_latent = true,
          .linear_skip = true,
          .sigma_network = sigma_network,
          .sigma_scale = sigma};
}

FamilyConfig Plain(int64_t dim, int64_t latent, int64_t hidden, bool gaussian) {
  return {.dim = dim,
          .latent_dim = latent,
          .hidden = hidden,
          .gaussian_latent = gaussian,
          .linear_skip = false,
          .sigma_network = false,
          .sigma_scale = 0.1f};
}

std::vector<FamilyConfig> Configs() {
  return {Skip(1, 5, false),       Skip(1, 5, true),      Skip(3, 7, false, 0.7f),
          Skip(5, 9, true, 0.05f), Plain(1, 1, 3, true),  Plain(3, 1, 6, false),
          Plain(2, 5, 17, true),   Plain(7, 2, 11, false)};
}

Family RandomFamily(const FamilyConfig& config, double scale, Random& random) {
  Family family(config);
  family.Initialize(1);
  test::Perturb(scale, random, &family.parameters());
  return family;
}

constexpr int64_t kColumns[] = {1, 16, 37};

TEST(FamilyTest, EvaluateIsTheReferenceInEveryMode) {
  Random random(1);
  for (const FamilyConfig& config : Configs()) {
    const Family family = RandomFamily(config, 0.5, random);
    for (const int64_t n : kColumns) {
      Scratch scratch;
      const TileMap epsilon = Put(Normals(config.latent_dim, n, 1, random), scratch);
      const Conditional q = family.Evaluate(Const(epsilon), scratch);
      const ReferenceConditional reference = Conditionals(family, Get(epsilon));
      EXPECT_LT(test::RelativeError(Get(q.mean), reference.mean), 1e-5);
      ASSERT_EQ(q.shared_sigma, !config.sigma_network);
      for (int64_t j = 0; j < n; ++j) {
        const int64_t column = q.shared_sigma ? 0 : j;
        EXPECT_NEAR(q.log_det[column], reference.sigma.col(j).array().log().sum(), 2e-5);
        for (int64_t d = 0; d < config.dim; ++d) {
          EXPECT_NEAR(q.inv_sigma(d, column) * reference.sigma(d, j), 1, 1e-5);
        }
      }
    }
  }
}

TEST(FamilyTest, SharedInverseSigmaIsTheReference) {
  Random random(2);
  for (const FamilyConfig& config : Configs()) {
    if (config.sigma_network) continue;
    const Family family = RandomFamily(config, 0.5, random);
    Eigen::VectorXf inverse(config.dim);
    family.SharedInverseSigma(inverse.data());
    const ReferenceConditional reference =
        Conditionals(family, Eigen::MatrixXd::Zero(config.latent_dim, 1));
    EXPECT_LT(
        (inverse.cast<double>().array() * reference.sigma.col(0).array() - 1).abs().maxCoeff(),
        1e-5);
  }
}

TEST(FamilyTest, SampleAddsTheNoise) {
  Random random(3);
  for (const FamilyConfig& config : Configs()) {
    const Family family = RandomFamily(config, 0.5, random);
    Scratch scratch;
    const TileMap epsilon = Put(Normals(config.latent_dim, 21, 1, random), scratch);
    const TileMap eta = Put(Normals(config.dim, 21, 1, random), scratch);
    TileMap x = TakeTile(scratch, config.dim, 21);
    family.Sample(family.Evaluate(Const(epsilon), scratch), Const(eta), x);
    const ReferenceConditional q = Conditionals(family, Get(epsilon));
    EXPECT_LT(test::RelativeError(Get(x), q.mean + q.sigma.cwiseProduct(Get(eta))), 1e-5);
  }
}

// Σ g ⊙ x(φ), by the reference.
double PathLoss(const FamilyConfig& c, const Eigen::VectorXd& parameters,
                const Eigen::MatrixXd& epsilon, const Eigen::MatrixXd& eta,
                const Eigen::MatrixXd& g) {
  const ReferenceConditional q = Conditionals(c, parameters, epsilon);
  return g.cwiseProduct(q.mean + q.sigma.cwiseProduct(eta)).sum();
}

TEST(FamilyTest, BackwardIsTheDifferenceQuotientInEveryMode) {
  constexpr double kStep = 1e-6;
  Random random(4);
  for (const FamilyConfig& config : Configs()) {
    const Family family = RandomFamily(config, 0.5, random);
    for (const int64_t n : kColumns) {
      Scratch scratch;
      const TileMap epsilon = Put(Normals(config.latent_dim, n, 1, random), scratch);
      const TileMap eta = Put(Normals(config.dim, n, 1, random), scratch);
      const TileMap g = Put(Normals(config.dim, n, 1, random), scratch);
      // Backward adds: what was there before must stay.
      Eigen::VectorXf gradient = Eigen::VectorXf::Ones(family.parameters().size());
      family.Backward(Const(epsilon), Const(eta), Const(g), nullptr, scratch, &gradient);
      Eigen::VectorXd p = family.parameters().cast<double>(), expected(p.size());
      const Eigen::MatrixXd e = Get(epsilon), noise = Get(eta), weight = Get(g);
      for (int64_t i = 0; i < p.size(); ++i) {
        const double at = p[i];
        p[i] = at + kStep;
        const double up = PathLoss(config, p, e, noise, weight);
        p[i] = at - kStep;
        expected[i] = 1 + (up - PathLoss(config, p, e, noise, weight)) / (2 * kStep);
        p[i] = at;
      }
      EXPECT_LT(test::RelativeError(gradient.cast<double>(), expected), 2e-4)
          << "D " << config.dim << " E " << config.latent_dim << " n " << n;
    }
  }
}

// DESIGN: with the skip, q(x|ε) = N(√(1−σ₀²) ε, σ₀² I) at the start, so that q(x) = N(0, I).
TEST(FamilyTest, TheSkipStartsAtTheStandardNormal) {
  Random random(5);
  for (const bool network : {false, true}) {
    for (const int64_t dim : {1, 2, 5, 22}) {
      for (const float sigma : {0.05f, 0.3f, 0.9f}) {
        Family family(Skip(dim, 13, network, sigma));
        family.Initialize(7);
        Scratch scratch;
        const TileMap epsilon = Put(Normals(dim, 40, 1, random), scratch);
        const Conditional q = family.Evaluate(Const(epsilon), scratch);
        const double slope = std::sqrt(1 - static_cast<double>(sigma) * sigma);
        EXPECT_LT((Get(q.mean) - slope * Get(epsilon)).cwiseAbs().maxCoeff(), 1e-6);
        EXPECT_LT((q.inv_sigma.array() * sigma - 1).abs().maxCoeff(), 1e-6f);
        const double log_det = static_cast<double>(dim) * std::log(static_cast<double>(sigma));
        EXPECT_NEAR(q.log_det[0], log_det, 1e-5 * (1 + std::abs(log_det)));
      }
    }
  }
}

TEST(FamilyTest, ThePublishedFamilyStartsWithItsSigma) {
  Family family(Plain(3, 2, 8, false));
  family.Initialize(7);
  const float sigma = 0.1f * std::log1p(std::exp(1.0f));
  Eigen::VectorXf inverse(3);
  family.SharedInverseSigma(inverse.data());
  EXPECT_LT((inverse.array() * sigma - 1).abs().maxCoeff(), 1e-5);
  EXPECT_GT(family.parameters().norm(), 0);
}

TEST(FamilyTest, ASeedIsAStart) {
  Family a(Plain(3, 2, 8, false)), b(Plain(3, 2, 8, false));
  a.Initialize(7);
  b.Initialize(7);
  EXPECT_EQ(a.parameters(), b.parameters());
  b.Initialize(8);
  EXPECT_NE(a.parameters(), b.parameters());
}

TEST(FamilyTest, LatentsFollowTheirPrior) {
  constexpr int64_t kCount = 20000;
  for (const bool gaussian : {true, false}) {
    const Family family(Plain(1, 3, 4, gaussian));
    Scratch scratch;
    TileMap epsilon = TakeTile(scratch, 3, kCount), again = TakeTile(scratch, 3, kCount);
    const RngStream stream = {3, RngPurpose::kLatent, 1, 2};
    family.SampleLatent(stream, epsilon);
    family.SampleLatent(stream, again);
    EXPECT_EQ(Get(epsilon), Get(again));
    const double mean = gaussian ? 0 : 0.5, variance = gaussian ? 1 : 1.0 / 12;
    const double se = std::sqrt(variance / kCount);
    for (int64_t e = 0; e < 3; ++e) {
      const Eigen::ArrayXd row = Get(epsilon).row(e);
      EXPECT_NEAR(row.mean(), mean, 6 * se);
      EXPECT_NEAR((row - row.mean()).square().mean(), variance, 0.05 * variance);
      if (!gaussian) {
        EXPECT_GT(row.minCoeff(), 0);
        EXPECT_LT(row.maxCoeff(), 1);
      }
      const Eigen::ArrayXd next = Get(epsilon).row((e + 1) % 3);
      EXPECT_NEAR(((row - mean) * (next - mean)).mean() / variance, 0, 6 / std::sqrt(1.0 * kCount));
    }
  }
}

TEST(FamilyTest, LogPriorIsAdded) {
  Random random(6);
  for (const bool gaussian : {true, false}) {
    const Family family(Plain(1, 2000, 4, gaussian));
    Scratch scratch;
    const TileMap epsilon = Put(Normals(2000, 19, 1, random), scratch);
    std::vector<double> log_p(19, 2.0);
    family.AddLogPrior(Const(epsilon), log_p.data());
    for (int64_t j = 0; j < 19; ++j) {
      EXPECT_NEAR(log_p[j], 2 + test::LogPrior(family.config(), Get(epsilon).col(j)), 1e-9);
    }
  }
}

}  // namespace
}  // namespace aisivi
