#include "engine/methods/uivi.h"

#include <gtest/gtest.h>

#include <cmath>

#include "engine/methods/methods.h"
#include "tests/engine/family/testing.h"
#include "tests/engine/methods/hole_target.h"
#include "tests/engine/warmstart/test_targets.h"

namespace aisivi {
namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;

// The target that whitens to the standard normal: its score is −z, and grad_x is (s_q + z)/m.
class UiviTest : public testing::Test {
 protected:
  static Component Bent(double wildness, bool skip) {
    test::Random random(3);
    Component component;
    component.family = Family({.dim = 1,
                               .latent_dim = 1,
                               .hidden = 8,
                               .gaussian_latent = skip,
                               .linear_skip = skip,
                               .sigma_network = skip,
                               .sigma_scale = 0.4f});
    component.family.Initialize(1);
    test::Perturb(wildness, random, &component.family.parameters());
    component.affine = AffineMap::Identity(1);
    return component;
  }
  // The step has to settle first, as it does in a training.
  StepGradients Gradients(const ModelState& model, int64_t points, ThreadPool& pool,
                          ObjectiveState* state) {
    Workspace workspace(pool);
    const auto objective = (*FindMethod("uivi"))->objective({.seed = 2});
    StepGradients gradients;
    for (uint32_t i = 0; i < 30; ++i) {
      SamplePoints(model, 1, i, i < 29 ? 200 : points, workspace.caller(), &batch_);
      TargetEvaluation at_points(target_, pool);
      at_points.Begin(batch_.z);
      const StepInput input{target_, model, batch_, at_points, i, pool, workspace, nullptr};
      EXPECT_TRUE(objective->Gradients(input, state, &gradients).ok());
    }
    return gradients;
  }

  const PointTarget target_ = GaussianTarget(VectorXd::Zero(1), MatrixXd::Identity(1, 1));
  PointBatch batch_;
};

// E[s_q g(x)] over points and chains is that of the true score, for any g: of a handful.
TEST_F(UiviTest, TheScoreIsThatOfTheMarginalOnAverage) {
  constexpr int64_t kPoints = 6000;
  for (const bool skip : {true, false}) {
    ModelState model;
    model.components.push_back(Bent(skip ? 0.25 : 0.6, skip));
    const Family& family = model.components.front().family;
    ThreadPool pool(2);
    ObjectiveState state;
    const StepGradients gradients = Gradients(model, kPoints, pool, &state);
    const MatrixXd x = batch_.z;
    const MatrixXd score = gradients.grad_x.cast<double>() * kPoints - x;
    const MatrixXd truth =
        test::Marginal(family, test::MakeLatentGrid(family.config(), 1500), x).score;
    const MatrixXd error = score - truth;
    const auto expect_none = [&](const MatrixXd& g) {
      const Eigen::ArrayXd term = (error.array() * g.array()).transpose();
      const double sd = std::sqrt((term - term.mean()).square().mean() / kPoints);
      EXPECT_LT(std::abs(term.mean()), 4.5 * sd) << skip;
      // Not for want of power: the true moment is many standard errors large.
      return sd;
    };
    expect_none(MatrixXd::Ones(1, kPoints));
    const double sd = expect_none(truth);
    EXPECT_GT(truth.squaredNorm() / kPoints, 20 * sd);
    expect_none(x);
    expect_none(x.array().sin().matrix());
  }
}

TEST_F(UiviTest, TheSameAtAnyThreadCount) {
  ModelState model;
  model.components.push_back(Bent(0.25, true));
  ThreadPool one(1), three(3);
  ObjectiveState a, b;
  EXPECT_EQ(Gradients(model, 150, one, &a).grad_x, Gradients(model, 150, three, &b).grad_x);
  EXPECT_EQ(a.chain_step, b.chain_step);
  EXPECT_NE(a.chain_step, kFirstChainStep);
}

TEST_F(UiviTest, APointThatIsNotFiniteMovesNothing) {
  ModelState model;
  model.components.push_back(Bent(0.25, true));
  ThreadPool pool(2);
  Workspace workspace(pool);
  ObjectiveState state;
  StepGradients gradients;
  SamplePoints(model, 1, 0, 40, workspace.caller(), &batch_);
  test::HoleTarget target(target_);
  target.hole = batch_.z.col(3);
  TargetEvaluation at_points(target, pool);
  at_points.Begin(batch_.z);
  const auto objective = (*FindMethod("uivi"))->objective({});
  ASSERT_TRUE(objective
                  ->Gradients({target, model, batch_, at_points, 0, pool, workspace, nullptr},
                              &state, &gradients)
                  .ok());
  EXPECT_EQ(gradients.finite, 39);
  EXPECT_TRUE(gradients.grad_x.allFinite());
  EXPECT_TRUE(gradients.grad_x.col(3).isZero(0));
}

TEST_F(UiviTest, RefusesSeveralComponents) {
  ModelState model;
  model.components.push_back(Bent(0, true));
  model.components.push_back(Bent(0, true));
  ThreadPool pool(1);
  Workspace workspace(pool);
  ObjectiveState state;
  StepGradients gradients;
  const auto objective = (*FindMethod("uivi"))->objective({});
  TargetEvaluation at_points(target_, pool);
  EXPECT_TRUE(absl::IsInvalidArgument(objective->Gradients(
      {target_, model, batch_, at_points, 0, pool, workspace, nullptr}, &state, &gradients)));
}

}  // namespace
}  // namespace aisivi
