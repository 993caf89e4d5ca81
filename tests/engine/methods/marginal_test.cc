#include "engine/methods/marginal.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "tests/engine/model/testing.h"

namespace aisivi {
namespace {

using test::ComponentShape;
using test::MakeComponent;
using test::MakeLineComponent;
using test::Normals;
using test::Random;

MarginalEstimate Evaluate(MarginalRequest request) {
  ThreadPool pool(2);
  Workspace workspace(pool);
  MarginalEstimate estimate;
  EstimateMarginal(request, pool, workspace, &estimate);
  return estimate;
}

// log N(z; b, A Aᵀ) of component c, with its weight.
double LogGaussian(const Component& c, const Eigen::VectorXd& z) {
  const Eigen::VectorXd x = c.affine.scale.triangularView<Eigen::Lower>().solve(z - c.affine.shift);
  return c.log_weight - c.affine.LogDet() - 0.5 * x.squaredNorm() -
         0.5 * test::kLogTwoPi * static_cast<double>(z.size());
}

// Forty components as they started: their mixture is known in closed form, far ones and all.
TEST(MarginalTest, UntrainedComponentsAreExact) {
  Random random(1);
  for (const bool network : {false, true}) {
    ModelState state;
    for (int c = 0; c < 40; ++c) {
      const ComponentShape shape{
          .dim = 3, .latent = 3, .sigma_network = network, .proposal = c % 2 == 0};
      state.components.push_back(MakeComponent(shape, Normals(3, 1, 20, random),
                                               test::RandomScale(3, random), 1.0 / 40, random));
    }
    const Eigen::MatrixXd z = Normals(3, 50, 20, random);
    Origin origin{std::vector<int>(50), Eigen::MatrixXf::Zero(3, 50)};
    for (int j = 0; j < 50; ++j) origin.component[j] = j % 40;
    const MarginalEstimate estimate = Evaluate({.state = &state,
                                                .z = &z,
                                                .origin = &origin,
                                                .samples = 1,
                                                .want_score = true,
                                                .want_plus = true});
    for (int j = 0; j < 50; ++j) {
      double top = -INFINITY, sum = 0;
      for (const Component& c : state.components) top = std::max(top, LogGaussian(c, z.col(j)));
      Eigen::VectorXd score = Eigen::VectorXd::Zero(3);
      for (const Component& c : state.components) {
        const double weight = std::exp(LogGaussian(c, z.col(j)) - top);
        const Eigen::MatrixXd covariance = c.affine.scale * c.affine.scale.transpose();
        sum += weight;
        score -= weight * covariance.llt().solve(z.col(j) - c.affine.shift);
      }
      const double log_q = top + std::log(sum);
      EXPECT_NEAR(estimate.log_q[j], log_q, 1e-10 * (1 + std::abs(log_q)));
      EXPECT_EQ(estimate.log_q_plus[j], estimate.log_q[j]);
      EXPECT_EQ(estimate.ess[j], 1);
      EXPECT_LT((estimate.score.col(j) - score / sum).norm(), 1e-5 * (1 + score.norm() / sum));
    }
  }
}

// A component whose σ has been trained up to 40 times its start: its Gaussian says that the other
// one, 40 away, is out of its reach, where in truth it holds most of the density.
ModelState WideReach(bool proposal) {
  Random random(2);
  ModelState state;
  const ComponentShape shape{.sigma_network = true, .proposal = proposal, .wildness = 0.02};
  state.components = {MakeLineComponent(shape, 0, 5, 0.07, random),
                      MakeLineComponent(shape, 40, 1, 0.93, random)};
  Eigen::VectorXf& wide = state.components[1].family.parameters();
  wide[wide.size() - 1] = 10;  // the bias of ρ: σ = 0.5 exp(4.5 tanh(10/4.5)) ≈ 40
  return state;
}

TEST(MarginalTest, TheDensityOfAFarComponentIsNotLost) {
  const ModelState state = WideReach(false);
  Random random(3);
  const Eigen::MatrixXd z = Normals(1, 64, 5, random);
  const Eigen::VectorXd truth = test::LineLogDensity(state, z);
  Eigen::VectorXd mean = Eigen::VectorXd::Zero(64), left_out = mean;
  constexpr int kRuns = 200;
  for (uint64_t seed = 0; seed < kRuns; ++seed) {
    MarginalRequest request{.state = &state, .z = &z, .seed = seed, .samples = 2000};
    left_out += Evaluate(request).log_q.array().exp().matrix() / kRuns;
    request.far_samples = FarSamples(request.samples);
    mean += Evaluate(request).log_q.array().exp().matrix() / kRuns;
  }
  EXPECT_LT((mean.array().log().matrix() - truth).cwiseAbs().maxCoeff(), 0.04);
  EXPECT_GT((truth - left_out.array().log().matrix()).minCoeff(), 0.3) << "the test tests nothing";
}

// Points that one component generated and those that another did are different draws, and so are
// the inner samples of each; none may be those of a model of one component under another seed.
TEST(MarginalTest, EveryComponentHasStreamsOfItsOwn) {
  Random random(4);
  const ComponentShape shape{.wildness = 0.2};
  const Component component = MakeLineComponent(shape, 0, 1, 0.5, random);
  ModelState one, two;
  one.components = {component};
  two.components = {component, component};
  const Eigen::MatrixXd z = Normals(1, 8, 1, random);
  const auto density = [&](const ModelState& state, uint64_t seed) -> Eigen::ArrayXd {
    return Evaluate({.state = &state, .z = &z, .seed = seed, .samples = 1}).log_q.array().exp();
  };
  const Eigen::ArrayXd first = density(one, 3);
  const Eigen::ArrayXd second = density(two, 3) - first;  // that of the second component
  EXPECT_GT((second - first).abs().minCoeff(), 1e-6);
  // 2^64 over the golden ratio: what run 1 of a fit was once told from run 0 by.
  EXPECT_GT((second - density(one, 3 + 0x9E3779B97F4A7C15u)).abs().minCoeff(), 1e-6);
}

}  // namespace
}  // namespace aisivi
