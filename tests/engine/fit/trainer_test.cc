#include "engine/fit/trainer.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "engine/fit/start.h"
#include "engine/methods/methods.h"
#include "tests/engine/fit/testing.h"

namespace aisivi {
namespace {

using test::Make;

// A fit as published, made small and normalised by its points, on the banana.
struct Published {
  explicit Published(int64_t flow_steps) : target(Make("banana")) {
    options = *FindPreset("aisivi_banana");
    options.points = 256;
    options.inner_samples = 64;
    options.chunks = 1;
    options.flow_steps = flow_steps;
    options.adaptive = true;
    options.flow_normalisation = "inverse";
    options.sigma_scale = 0.01;  // x tells ε nearly, which an untrained proposal does not know
    std::vector<std::string> log;
    state = StartModels(*target, options, pool, nullptr, &log)->starts.front().state;
  }

  // −E log τ(ε|x) over fresh pairs.
  double FlowLoss() const {
    const int64_t n = 4096;
    const Component& component = state.components.front();
    Scratch scratch;
    ComponentSample sample;
    SampleComponent(component, 77, RngPurpose::kLatent, RngPurpose::kNoise, 0, 0, n, scratch,
                    &sample);
    TileMap epsilon = TakeTile(scratch, sample.epsilon.rows(), n);
    TileMap x = TakeTile(scratch, sample.x.rows(), n);
    epsilon = sample.epsilon;
    x = sample.x;
    Eigen::VectorXd log_tau(n);
    component.proposal.LogDensity(Const(epsilon), Const(x), scratch, log_tau.data());
    return -log_tau.mean();
  }

  std::unique_ptr<const Target> target;
  FitOptions options;
  ThreadPool pool{1};
  ModelState state;
};

// A rate of zero moves no parameter: what changes is the normalisation alone.
TEST(TrainerTest, TheNormalisationIsSetWhicheverWayTheFlowIsTrained) {
  double loss[3];
  for (const int64_t flow_steps : {1, 2}) {
    Published fit(flow_steps);
    Trainer trainer(*fit.target, fit.options, **FindMethod("aisivi"), fit.pool, &fit.state);
    StepReport report;
    ASSERT_TRUE(*trainer.Step(0, &report));
    loss[flow_steps] = fit.FlowLoss();
  }
  // −E log p = 0 for ε uniform on the unit square, to which a normalised flow comes near.
  EXPECT_DOUBLE_EQ(loss[1], loss[2]);
  EXPECT_LT(loss[1], 0.5);
}

TEST(TrainerTest, TheNormalisationIsSetOnceAndNotWhenFlowStepsAreAdded) {
  Published fit(1);
  Trainer trainer(*fit.target, fit.options, **FindMethod("aisivi"), fit.pool, &fit.state);
  StepReport report;
  ASSERT_TRUE(*trainer.Step(1e-2, &report));
  const Eigen::VectorXf parameters = fit.state.components.front().proposal.parameters();
  // The untrained proposal is poor, so that adaptation adds flow steps.
  for (int i = 0; i < 60; ++i) ASSERT_TRUE(*trainer.Step(0, &report));
  ASSERT_GT(trainer.state().objective.adaptation.flow_steps, 1) << "ess " << report.ess;
  EXPECT_EQ(fit.state.components.front().proposal.parameters(), parameters);
}

// PRESETS.md: ε starts as sigmoid(N(0, 1)).
TEST(TrainerTest, ThePublishedFlowStartsAtTheSigmoidOfItsNoise) {
  constexpr int64_t kPoints = 3, kEach = 20;
  for (const char* name : {"aisivi_banana", "aisivi_diffusion"}) {
    const auto target =
        Make(name == std::string("aisivi_banana") ? "banana" : "conditioned_diffusion");
    const FitOptions options = *FindPreset(name);
    ThreadPool pool(1);
    std::vector<std::string> log;
    ModelState state = StartModels(*target, options, pool, nullptr, &log)->starts.front().state;
    const Trainer trainer(*target, options, **FindMethod("aisivi"), pool, &state);
    const Proposal& proposal = state.components.front().proposal;
    const Eigen::MatrixXf x = Eigen::MatrixXf::Random(target->dim(), kPoints);
    ProposalContext context;
    proposal.MakeContext(x, pool, &context);
    Scratch scratch;
    TileMap noise = TakeTile(scratch, options.latent_dim, kPoints * kEach);
    TileMap epsilon = TakeTile(scratch, options.latent_dim, kPoints * kEach);
    noise.setRandom();
    noise *= 2;
    const Eigen::ArrayXXf u = noise;
    Eigen::VectorXd log_tau(kPoints * kEach);
    proposal.Sample(context, 0, kEach, noise, scratch, epsilon, log_tau.data());
    for (int64_t r = 0; r < options.latent_dim; ++r) {
      const Eigen::ArrayXf expected = 1 / (1 + (-u.row(r).transpose()).exp());
      const Eigen::ArrayXf drawn = epsilon.row(proposal.NaturalRow(r)).transpose();
      EXPECT_LT((drawn - expected).abs().maxCoeff(), 1e-5f) << name << " " << r;
    }
  }
}

}  // namespace
}  // namespace aisivi
