#include "engine/methods/kpg_is.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/engine/methods/hole_target.h"
#include "tests/engine/model/testing.h"
#include "tests/engine/warmstart/test_targets.h"

namespace aisivi {
namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;

constexpr int64_t kParticles = 12;

class KpgIsTest : public testing::Test {
 protected:
  KpgIsTest() {
    test::Random random(4);
    model_.components.push_back(test::MakeLineComponent(
        {.dim = 1, .latent = 1, .sigma_network = true, .wildness = 0.3}, 0.4, 1.5, 1, random));
  }
  StepGradients Gradients(KpgIs* objective, int threads = 2) {
    ThreadPool pool(threads);
    Workspace workspace(pool);
    SamplePoints(model_, 1, 0, kParticles, workspace.caller(), &batch_);
    test::HoleTarget target(target_);
    if (spoil_) target.hole = batch_.z.col(3);
    TargetEvaluation at_points(target, pool);
    at_points.Begin(batch_.z);
    ObjectiveState state;
    StepGradients gradients;
    EXPECT_TRUE(objective
                    ->Gradients({target, model_, batch_, at_points, 0, pool, workspace, nullptr},
                                &state, &gradients)
                    .ok());
    return gradients;
  }

  const PointTarget target_ =
      GaussianTarget(VectorXd::Constant(1, -0.5), MatrixXd::Constant(1, 1, 0.6));
  ModelState model_;
  PointBatch batch_;
  bool spoil_ = false;
};

// ∫ q(x') k(x, x') (∇ log q(x') − A ∇ log p̃(z')) dx', by quadrature over x' and over ε.
TEST_F(KpgIsTest, TheMeanIsTheSmoothedDifferenceOfTheScores) {
  const Component& component = model_.components.front();
  const double shift = component.affine.shift[0], scale = component.affine.scale(0, 0);
  constexpr int64_t kGrid = 800;
  const double step = 16.0 / kGrid;
  MatrixXd x(1, kGrid), z(1, kGrid), score_p;
  for (int64_t i = 0; i < kGrid; ++i) x(0, i) = -8 + step * (static_cast<double>(i) + 0.5);
  z = (scale * x).array() + shift;
  VectorXd log_p;
  ASSERT_TRUE(target_.Evaluate(z, &log_p, &score_p).ok());
  const test::MarginalTruth q =
      test::Marginal(component.family, test::MakeLatentGrid(component.family.config(), 1000), x);
  for (const KernelKind kind : {KernelKind::kGaussian, KernelKind::kImq}) {
    KpgIs objective({.seed = 3, .inner_samples = 400000, .kernel = kind});
    const StepGradients gradients = Gradients(&objective);
    VectorXd expected = VectorXd::Zero(kParticles);
    for (int64_t j = 0; j < kParticles; ++j) {
      const double at = batch_.samples.front().x(0, j);
      for (int64_t i = 0; i < kGrid; ++i) {
        const double k = KernelValue(kind, std::pow(x(0, i) - at, 2), objective.bandwidth());
        expected[j] += step * std::exp(q.log_q[i]) * k * (q.score(0, i) - scale * score_p(0, i));
      }
    }
    const VectorXd made = gradients.grad_x.cast<double>().transpose() * kParticles;
    EXPECT_LT((made - expected).norm(), 0.05 * expected.norm()) << static_cast<int>(kind);
    EXPECT_GT(expected.norm(), 0.1);
  }
}

TEST_F(KpgIsTest, TheSameAtAnyThreadCount) {
  KpgIs a({.inner_samples = 40}), b({.inner_samples = 40});
  EXPECT_EQ(Gradients(&a, 1).grad_x, Gradients(&b, 3).grad_x);
}

TEST_F(KpgIsTest, OneInnerSampleIsEnough) {
  KpgIs objective({.inner_samples = 1});
  EXPECT_TRUE(Gradients(&objective).grad_x.allFinite());
}

TEST_F(KpgIsTest, APointThatIsNotFiniteMovesNothing) {
  spoil_ = true;
  KpgIs objective({.inner_samples = 40});
  const StepGradients gradients = Gradients(&objective);
  EXPECT_EQ(gradients.finite, kParticles - 1);
  EXPECT_TRUE(gradients.grad_x.allFinite());
  EXPECT_TRUE(gradients.grad_x.col(3).isZero(0));
}

TEST_F(KpgIsTest, NeedsOneComponentAndAProposal) {
  ThreadPool pool(1);
  Workspace workspace(pool);
  ObjectiveState state;
  StepGradients gradients;
  KpgIs objective({});
  TargetEvaluation at_points(target_, pool);
  const auto refused = [&](const ModelState& model) {
    return absl::IsInvalidArgument(objective.Gradients(
        {target_, model, batch_, at_points, 0, pool, workspace, nullptr}, &state, &gradients));
  };
  ModelState two = model_, bare = model_;
  two.components.push_back(two.components.front());
  bare.components.front().has_proposal = false;
  EXPECT_TRUE(refused(two));
  EXPECT_TRUE(refused(bare));
}

}  // namespace
}  // namespace aisivi
