// The gradients of the objectives against their losses, written down plainly in double precision
// and differentiated by finite differences along random directions of the family's parameters. The
// random numbers and the target are shared, and the bandwidth of a kernel is held where it was.
#include "engine/methods/objective.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engine/methods/kernel.h"
#include "engine/methods/methods.h"
#include "tests/engine/family/testing.h"
#include "tests/engine/methods/hole_target.h"
#include "tests/engine/warmstart/test_targets.h"

namespace aisivi {
namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;

constexpr int64_t kPoints = 24, kInner = 10;
constexpr uint64_t kSeed = 5;

// Bent, and without points so far out that their gradient would be shortened.
PointTarget RippledTarget() {
  return PointTarget(2, [](const VectorXd& z, VectorXd* score) {
    const double phase = 2 * z[0] + z[1];
    *score << -z[0] - 0.6 * std::sin(phase), -0.5 * z[1] - 0.3 * std::sin(phase);
    return -0.5 * z[0] * z[0] - 0.25 * z[1] * z[1] + 0.3 * std::cos(phase);
  });
}

struct Case {
  std::string method;
  std::string kernel = "gaussian";
  bool v_statistic = false, sigma_network = true, skip = true;
};

class ObjectiveTest : public testing::TestWithParam<Case> {
 protected:
  ObjectiveTest() : target_(RippledTarget()), pool_(2), workspace_(pool_) {
    const Case& c = GetParam();
    test::Random random(3);
    Component component;
    component.family = Family({.dim = 2,
                               .latent_dim = 2,
                               .hidden = 6,
                               .linear_skip = c.skip,
                               .sigma_network = c.sigma_network,
                               .sigma_scale = 0.5f});
    component.family.Initialize(1);
    test::Perturb(0.15, random, &component.family.parameters());
    component.affine = {Eigen::Vector2d(0.2, -1),
                        (Eigen::Matrix2d() << 1.1, 0, 0.4, 0.8).finished()};
    model_.components.push_back(component);
    options_ = {.seed = kSeed,
                .inner_samples = kInner,
                .kernel = *KernelOfName(c.kernel),
                .v_statistic = c.v_statistic};
    SamplePoints(model_, kSeed, 0, kPoints, workspace_.caller(), &points_);
  }

  const Component& component() const { return model_.components.front(); }

  StepGradients Gradients(ThreadPool& pool) {
    Workspace workspace(pool);
    ObjectiveState state;
    StepGradients gradients;
    const auto objective = (*FindMethod(GetParam().method))->objective(options_);
    TargetEvaluation at_points(step_target_, pool);
    at_points.Begin(points_.z);
    const StepInput input{step_target_, model_, points_, at_points, 0, pool, workspace, nullptr};
    EXPECT_TRUE(objective->Gradients(input, &state, &gradients).ok());
    return gradients;
  }

  // d loss / d φ, as the trainer puts it together.
  VectorXd FamilyGradient(const StepGradients& gradients) {
    const Family& family = component().family;
    Scratch scratch;
    const ComponentSample& sample = points_.samples.front();
    Eigen::VectorXf result = Eigen::VectorXf::Zero(family.parameters().size());
    const TileMap epsilon = test::Put(sample.epsilon.cast<double>(), scratch);
    const TileMap eta = test::Put(sample.eta.cast<double>(), scratch);
    const TileMap grad_x = test::Put(gradients.grad_x.cast<double>(), scratch);
    const bool direct = gradients.grad_log_sigma.size() > 0;
    const TileMap grad_log_sigma = test::Put(
        direct ? MatrixXd(gradients.grad_log_sigma.cast<double>()) : MatrixXd::Zero(2, kPoints),
        scratch);
    const ConstTileMap owed = Const(grad_log_sigma);
    family.Backward(Const(epsilon), Const(eta), Const(grad_x), &owed, scratch, &result);
    for (const LatentGradients& latents : gradients.latents) {
      const TileMap e = test::Put(latents.epsilon.cast<double>(), scratch);
      const TileMap zero = test::Put(MatrixXd::Zero(2, e.cols()), scratch);
      const TileMap mean = test::Put(latents.grad_mean.cast<double>(), scratch);
      const TileMap sigma = test::Put(latents.grad_log_sigma.cast<double>(), scratch);
      const ConstTileMap s = Const(sigma);
      family.Backward(Const(e), Const(zero), Const(mean), &s, scratch, &result);
    }
    return result.cast<double>();
  }

  struct Points {
    test::ReferenceConditional q;
    MatrixXd noise, x, z, score;
    VectorXd log_p;
  };
  Points PointsOf(const VectorXd& phi) const {
    const ComponentSample& sample = points_.samples.front();
    Points p;
    p.q = test::Conditionals(component().family.config(), phi, sample.epsilon.cast<double>());
    p.x = p.q.mean + p.q.sigma.cwiseProduct(sample.eta.cast<double>());
    p.noise = sample.eta.cast<double>().cwiseQuotient(p.q.sigma);
    p.z = (component().affine.scale * p.x).colwise() + component().affine.shift;
    EXPECT_TRUE(target_.Evaluate(p.z, &p.log_p, &p.score).ok());
    return p;
  }

  double KernelValue(double square, double h) const {
    if (GetParam().kernel == "gaussian") return std::exp(-square / (2 * h * h));
    if (GetParam().kernel == "imq") return 1 / std::sqrt(1 + square / (h * h));
    return std::exp(-std::sqrt(square) / h);
  }

  double SteinLoss(const VectorXd& phi, double h, bool with_self) const {
    const Points p = PointsOf(phi);
    const MatrixXd f = component().affine.scale.transpose() * p.score + p.noise;
    double sum = 0;
    for (int64_t i = 0; i < kPoints; ++i) {
      for (int64_t j = 0; j < kPoints; ++j) {
        if (i == j && !with_self) continue;
        sum += KernelValue((p.x.col(i) - p.x.col(j)).squaredNorm(), h) * f.col(i).dot(f.col(j));
      }
    }
    return sum / static_cast<double>(kPoints * (with_self ? kPoints : kPoints - 1));
  }

  double SurrogateLoss(const VectorXd& phi) const {
    Scratch scratch;
    TileMap fresh = TakeTile(scratch, 2, kInner);
    component().family.SampleLatent({kSeed, RngPurpose::kInner, 0, 0}, fresh);
    const test::ReferenceConditional inner =
        test::Conditionals(component().family.config(), phi, fresh.cast<double>());
    const Points p = PointsOf(phi);
    double sum = 0;
    for (int64_t j = 0; j < kPoints; ++j) {
      double q = std::exp(test::LogNormal(p.x.col(j), p.q.mean.col(j), p.q.sigma.col(j)));
      for (int64_t k = 0; k < kInner; ++k) {
        q += std::exp(test::LogNormal(p.x.col(j), inner.mean.col(k), inner.sigma.col(k)));
      }
      sum += std::log(q / (kInner + 1)) - component().affine.LogDet() - p.log_p[j];
    }
    return sum / kPoints;
  }

  double Bandwidth() const {
    KernelMatrix kernel;
    EvaluateKernel(options_.kernel, points_.samples.front().x.cast<double>(), &kernel);
    return kernel.bandwidth;
  }

  // `gradient` against differences of `loss` along random directions.
  void ExpectGradient(const std::function<double(const VectorXd&)>& loss,
                      const VectorXd& gradient) {
    constexpr double kStep = 1e-5;
    const VectorXd phi = component().family.parameters().cast<double>();
    test::Random random(9);
    for (int repeat = 0; repeat < 8; ++repeat) {
      const VectorXd direction = test::Normals(phi.size(), 1, 1, random);
      const double expected =
          (loss(phi + kStep * direction) - loss(phi - kStep * direction)) / (2 * kStep);
      EXPECT_NEAR(gradient.dot(direction), expected, 1e-3 * gradient.norm() * direction.norm());
    }
  }

  const PointTarget target_;
  test::HoleTarget step_target_{target_};
  ThreadPool pool_;
  Workspace workspace_;
  ModelState model_;
  PointBatch points_;
  ObjectiveOptions options_;
};

TEST_P(ObjectiveTest, TheGradientIsThatOfTheLoss) {
  const StepGradients gradients = Gradients(pool_);
  const VectorXd gradient = FamilyGradient(gradients);
  ASSERT_GT(gradient.norm(), 1e-3);
  const VectorXd phi = component().family.parameters().cast<double>();
  std::function<double(const VectorXd&)> loss;
  if (GetParam().method == "ksivi") {
    const double h = Bandwidth();
    loss = [=, this](const VectorXd& at) { return SteinLoss(at, h, GetParam().v_statistic); };
  } else {
    loss = [this](const VectorXd& at) { return SurrogateLoss(at); };
  }
  EXPECT_NEAR(gradients.loss, loss(phi), 1e-4 * (1 + std::abs(gradients.loss)));
  ExpectGradient(loss, gradient);
}

TEST_P(ObjectiveTest, TheSameAtAnyThreadCount) {
  const StepGradients a = Gradients(pool_);
  ThreadPool one(1);
  const StepGradients b = Gradients(one);
  EXPECT_EQ(a.loss, b.loss);
  EXPECT_EQ(a.grad_x, b.grad_x);
  EXPECT_EQ(a.grad_log_sigma, b.grad_log_sigma);
  ASSERT_EQ(a.latents.size(), b.latents.size());
  for (size_t i = 0; i < a.latents.size(); ++i) {
    EXPECT_EQ(a.latents[i].grad_mean, b.latents[i].grad_mean);
    EXPECT_EQ(a.latents[i].grad_log_sigma, b.latents[i].grad_log_sigma);
  }
}

TEST_P(ObjectiveTest, APointThatIsNotFiniteMovesNothing) {
  const StepGradients all = Gradients(pool_);
  step_target_.hole = points_.z.col(3);
  const StepGradients gradients = Gradients(pool_);
  EXPECT_EQ(all.finite, kPoints);
  EXPECT_EQ(gradients.finite, kPoints - 1);
  EXPECT_TRUE(gradients.grad_x.allFinite());
  EXPECT_TRUE(gradients.grad_x.col(3).isZero(0));
  EXPECT_TRUE(std::isfinite(gradients.loss));
  EXPECT_TRUE(FamilyGradient(gradients).allFinite());
}

INSTANTIATE_TEST_SUITE_P(Methods, ObjectiveTest,
                         testing::Values(Case{"ksivi"}, Case{"ksivi", "imq"},
                                         Case{"ksivi", "laplace"}, Case{"ksivi", "gaussian", true},
                                         Case{"ksivi", "gaussian", false, false},
                                         Case{"ksivi", "gaussian", false, false, false},
                                         Case{"sivi"}, Case{"sivi", "gaussian", false, false},
                                         Case{"sivi", "gaussian", false, false, false}),
                         [](const auto& info) {
                           const Case& c = info.param;
                           return c.method + "_" + c.kernel + (c.v_statistic ? "_v" : "_u") +
                                  (c.sigma_network ? "_network" : "_vector") +
                                  (c.skip ? "" : "_plain");
                         });

// In expectation the smoothed gradient is what smoothing the true score difference gives: at a
// Gaussian q of known score, over many points.
TEST(KpgTest, TheConditionalScoreStandsForTheMarginalOne) {
  const PointTarget target =
      GaussianTarget(Eigen::Vector2d(0.5, -0.5), (Eigen::Matrix2d() << 1, 0.3, 0.3, 2).finished());
  ModelState model;
  Component component;
  component.family = Family({.dim = 2, .latent_dim = 2, .hidden = 4, .sigma_scale = 0.5f});
  component.family.Initialize(1);  // q is N(0, I)
  component.affine = AffineMap::Identity(2);
  model.components.push_back(component);
  ThreadPool pool(2);
  Workspace workspace(pool);
  constexpr int64_t kMany = 2500;
  PointBatch points;
  SamplePoints(model, 1, 0, kMany, workspace.caller(), &points);
  TargetEvaluation at_points(target, pool);
  at_points.Begin(points.z);
  ObjectiveState state;
  StepGradients gradients;
  const auto objective = (*FindMethod("kpg"))->objective({});
  ASSERT_TRUE(objective
                  ->Gradients({target, model, points, at_points, 0, pool, workspace, nullptr},
                              &state, &gradients)
                  .ok());
  KernelMatrix kernel;
  EvaluateKernel(KernelKind::kGaussian, points.z, &kernel);
  const MatrixXd difference = -points.z - at_points.values().score_p;  // ∇ log q − ∇ log p
  const MatrixXd smoothed =
      difference * kernel.value / static_cast<double>(kMany) / static_cast<double>(kMany);
  const MatrixXd made = gradients.grad_x.cast<double>();
  // The noise of 2,500 points is 0.12 to 0.16, by seeds.
  EXPECT_LT((made - smoothed).norm(), 0.17 * smoothed.norm());
  EXPECT_GT(gradients.loss, 0);
}

TEST(KernelTest, SlopesAreDerivatives) {
  test::Random random(2);
  const MatrixXd x = test::Normals(3, 9, 1, random);
  for (size_t kind = 0; kind < KernelNames().size(); ++kind) {
    KernelMatrix kernel;
    EvaluateKernel(static_cast<KernelKind>(kind), x, &kernel);
    const double h = kernel.bandwidth;
    const auto value = [&](double square) {
      if (kind == 0) return std::exp(-square / (2 * h * h));
      if (kind == 1) return 1 / std::sqrt(1 + square / (h * h));
      return std::exp(-std::sqrt(square) / h);
    };
    for (int64_t i = 0; i < 9; ++i) {
      EXPECT_DOUBLE_EQ(kernel.value(i, i), 1);
      for (int64_t j = 0; j < 9; ++j) {
        if (i == j) continue;
        EXPECT_NEAR(kernel.value(i, j), value(kernel.square(i, j)), 1e-14);
        const VectorXd across = x.col(i) - x.col(j);
        const VectorXd moved = across + 1e-6 * VectorXd::Unit(3, 1);
        const double slope = (value(moved.squaredNorm()) - value(across.squaredNorm())) / 1e-6;
        EXPECT_NEAR(kernel.slope(i, j) * across[1], slope, 1e-5);
      }
    }
  }
}

TEST(KernelTest, TheBandwidthIsByTheMedianDistanceEvenWherePointsCoincide) {
  KernelMatrix kernel;
  EvaluateKernel(KernelKind::kGaussian, Eigen::RowVector3d(0, 1, 3), &kernel);
  EXPECT_DOUBLE_EQ(kernel.bandwidth, std::sqrt(4 / (2 * std::log(4.0))));
  EvaluateKernel(KernelKind::kImq, Eigen::RowVector4d(1, 1, 1, 1.5), &kernel);
  EXPECT_DOUBLE_EQ(kernel.bandwidth, std::sqrt(0.25 / std::log(5.0)));
  EvaluateKernel(KernelKind::kLaplace, Eigen::RowVector3d(1, 1, 1), &kernel);
  EXPECT_DOUBLE_EQ(kernel.bandwidth, 1 / std::log(4.0));
  EXPECT_TRUE(kernel.slope.isZero(0));
}

}  // namespace
}  // namespace aisivi
