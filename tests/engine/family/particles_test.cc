// A family whose mixing measure is a set of particles: the same networks at points of its own.
#include <gtest/gtest.h>

#include <Eigen/LU>
#include <cmath>
#include <vector>

#include "engine/methods/estimator.h"
#include "engine/methods/marginal.h"
#include "tests/engine/family/testing.h"
#include "tests/engine/model/testing.h"

namespace aisivi {
namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;
using test::Get;
using test::Normals;
using test::Put;
using test::Random;

constexpr int64_t kParticles = 7;

std::vector<FamilyConfig> ParticleConfigs() {
  const FamilyConfig skip{.dim = 3, .latent_dim = 3, .hidden = 5, .particles = kParticles};
  FamilyConfig network = skip, plain = skip;
  network.sigma_network = true;
  plain.linear_skip = false;
  plain.latent_dim = 2;
  return {skip, network, plain};
}

Family RandomParticles(const FamilyConfig& config, Random& random) {
  Family family(config);
  family.Initialize(1);
  test::Perturb(0.4, random, &family.parameters());
  return family;
}

MatrixXd Particles(const FamilyConfig& c, const VectorXd& parameters) {
  return Eigen::Map<const MatrixXd>(
      parameters.data() + parameters.size() - kParticles * c.latent_dim, c.latent_dim, kParticles);
}

// The conditionals at the particles `which`, by the reference of the networks.
test::ReferenceConditional AtParticles(const FamilyConfig& c, const VectorXd& parameters,
                                       const std::vector<int>& which) {
  const MatrixXd all = Particles(c, parameters);
  MatrixXd points(c.latent_dim, static_cast<int64_t>(which.size()));
  for (size_t i = 0; i < which.size(); ++i) points.col(static_cast<int64_t>(i)) = all.col(which[i]);
  return test::Conditionals(c, parameters.head(parameters.size() - kParticles * c.latent_dim),
                            points);
}

TEST(ParticlesTest, ALatentStandsForItsParticle) {
  Random random(1);
  for (const FamilyConfig& config : ParticleConfigs()) {
    const Family family = RandomParticles(config, random);
    EXPECT_EQ(family.latent_dim(), 1);
    EXPECT_FALSE(family.IsStandardNormal());
    Scratch scratch;
    TileMap epsilon = TakeTile(scratch, 1, kParticles);
    family.EnumerateLatent(0, epsilon);
    const Conditional q = family.Evaluate(Const(epsilon), scratch);
    const test::ReferenceConditional expected =
        AtParticles(config, family.parameters().cast<double>(), {0, 1, 2, 3, 4, 5, 6});
    EXPECT_LT(test::RelativeError(Get(q.mean), expected.mean), 1e-5);
    for (int64_t i = 0; i < kParticles; ++i) {
      EXPECT_NEAR(q.inv_sigma(1, q.shared_sigma ? 0 : i) * expected.sigma(1, i), 1, 1e-5);
    }
    double log_p[kParticles] = {};
    family.AddLogPrior(Const(epsilon), log_p);
    EXPECT_EQ(log_p[3], 0);
  }
}

TEST(ParticlesTest, EveryParticleIsDrawnAsOften) {
  Family family({.dim = 2, .latent_dim = 2, .hidden = 3, .particles = kParticles});
  family.Initialize(1);
  constexpr int64_t kDraws = 70000;
  Scratch scratch;
  TileMap epsilon = TakeTile(scratch, 1, kDraws);
  family.SampleLatent({3, RngPurpose::kLatent, 0, 0}, epsilon);
  VectorXd counts = VectorXd::Zero(kParticles);
  for (int64_t i = 0; i < kDraws; ++i) ++counts[static_cast<int64_t>(epsilon(0, i) * kParticles)];
  // Five standard deviations of a binomial count.
  EXPECT_LT((counts.array() - 10000).abs().maxCoeff(), 5 * std::sqrt(10000.0));
}

TEST(ParticlesTest, BackwardIsTheDifferenceQuotient) {
  constexpr double kStep = 1e-6;
  const std::vector<int> which = {2, 0, 2, 6, 5, 2};
  const int64_t n = static_cast<int64_t>(which.size());
  Random random(2);
  for (const FamilyConfig& config : ParticleConfigs()) {
    const Family family = RandomParticles(config, random);
    Scratch scratch;
    MatrixXd latents(1, n);
    for (int64_t i = 0; i < n; ++i) latents(0, i) = (which[i] + 0.4) / kParticles;
    const TileMap epsilon = Put(latents, scratch);
    const TileMap eta = Put(Normals(3, n, 1, random), scratch);
    const TileMap g = Put(Normals(3, n, 1, random), scratch);
    Eigen::VectorXf gradient = Eigen::VectorXf::Zero(family.parameters().size());
    family.Backward(Const(epsilon), Const(eta), Const(g), nullptr, scratch, &gradient);
    VectorXd p = family.parameters().cast<double>(), expected(p.size());
    const auto loss = [&] {
      const test::ReferenceConditional q = AtParticles(config, p, which);
      return Get(g).cwiseProduct(q.mean + q.sigma.cwiseProduct(Get(eta))).sum();
    };
    for (int64_t i = 0; i < p.size(); ++i) {
      const double at = p[i];
      p[i] = at + kStep;
      const double up = loss();
      p[i] = at - kStep;
      expected[i] = (up - loss()) / (2 * kStep);
      p[i] = at;
    }
    EXPECT_LT(test::RelativeError(gradient.cast<double>(), expected), 2e-4);
    EXPECT_GT(expected.tail(kParticles * config.latent_dim).norm(), 0.1);
  }
}

// log q, its score, and q̂₊, in z.
TEST(ParticlesTest, TheMarginalIsExact) {
  Random random(3);
  for (const FamilyConfig& config : ParticleConfigs()) {
    ModelState state;
    for (const double weight : {0.3, 0.7}) {
      Component component;
      component.log_weight = std::log(weight);
      component.family = RandomParticles(config, random);
      component.affine = {Normals(3, 1, 1, random), test::RandomScale(3, random)};
      state.components.push_back(component);
    }
    constexpr int64_t kPoints = 11;
    MatrixXd z(3, kPoints);
    Origin origin;
    origin.epsilon.setConstant(1, kPoints, 0.5f);
    for (int64_t j = 0; j < kPoints; ++j) {
      const Component& c = state.components[j % 2];
      origin.component.push_back(static_cast<int>(j % 2));
      z.col(j) = c.affine.shift + c.affine.scale * Normals(3, 1, 1, random);
    }
    ThreadPool pool(2);
    Workspace workspace(pool);
    MarginalEstimate estimate;
    EstimateMarginal({.state = &state,
                      .z = &z,
                      .origin = &origin,
                      .samples = 3,  // of no account
                      .far_samples = 1,
                      .want_score = true,
                      .want_plus = true},
                     pool, workspace, &estimate);
    for (int64_t j = 0; j < kPoints; ++j) {
      double density = 0;
      VectorXd slope = VectorXd::Zero(3);
      for (const Component& c : state.components) {
        const MatrixXd inverse = c.affine.scale.inverse();
        const VectorXd x = inverse * (z.col(j) - c.affine.shift);
        const test::ReferenceConditional q =
            AtParticles(config, c.family.parameters().cast<double>(), {0, 1, 2, 3, 4, 5, 6});
        for (int64_t i = 0; i < kParticles; ++i) {
          const double term =
              std::exp(c.log_weight + test::LogNormal(x, q.mean.col(i), q.sigma.col(i)) -
                       c.affine.LogDet()) /
              kParticles;
          density += term;
          slope += term * inverse.transpose() * test::NormalScore(x, q.mean.col(i), q.sigma.col(i));
        }
      }
      EXPECT_NEAR(estimate.log_q[j], std::log(density), 2e-4);
      EXPECT_EQ(estimate.log_q_plus[j], estimate.log_q[j]);
      EXPECT_EQ(estimate.ess[j], 1);
      EXPECT_LT((estimate.score.col(j) - slope / density).norm(),
                1e-3 * (1 + slope.norm() / density));
    }
    EXPECT_FALSE(SharesInnerSamples(state));
  }
}

}  // namespace
}  // namespace aisivi
