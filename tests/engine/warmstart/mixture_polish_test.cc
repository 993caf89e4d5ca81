#include "engine/warmstart/mixture_polish.h"

#include <gtest/gtest.h>

#include <limits>

#include "engine/warmstart/kl_polish.h"
#include "tests/engine/warmstart/test_targets.h"

namespace aisivi {
namespace {

// ¾ N((−3, 0), 0.36 I) + ¼ N((3, 1), 0.36 I).
PointTarget TwoModes() {
  Eigen::Matrix2d centres;
  centres << -3, 3, 0, 1;
  return SphereMixtureTarget(Eigen::Vector2d(0.75, 0.25), centres, 0.6);
}

AffineMixture RoughStart() {
  AffineMixture start;
  start.log_weights = Eigen::Vector2d(0.2, 0.8).array().log();
  start.components = {AffineGaussian::Isotropic(2, 0.2), AffineGaussian::Isotropic(2, 1.5)};
  start.components[0].mean << -2.5, 0.7;
  start.components[1].mean << 3.5, 0.5;
  return start;
}

TEST(MixturePolishTest, RecoversAMixtureExactly) {
  const PointTarget target = TwoModes();
  ThreadPool pool(2);
  Evaluator evaluator(target, pool, nullptr);
  const absl::StatusOr<PolishedMixture> fit = PolishMixture(
      evaluator, RoughStart(), 1, {.draws = 256, .max_iterations = 200, .tolerance = 1e-12});
  ASSERT_TRUE(fit.ok()) << fit.status();
  EXPECT_NEAR(fit->elbo, 0, 1e-6);
  EXPECT_NEAR(std::exp(fit->mixture.log_weights[0]), 0.75, 1e-3);
  EXPECT_TRUE(fit->mixture.components[0].mean.isApprox(Eigen::Vector2d(-3, 0), 1e-3));
  EXPECT_TRUE(fit->mixture.components[1].mean.isApprox(Eigen::Vector2d(3, 1), 1e-3));
  EXPECT_TRUE(fit->mixture.components[1].scale.isApprox(0.6 * Eigen::Matrix2d::Identity(), 1e-3));
  const absl::StatusOr<ElboEstimate> elbo = MixtureElbo(evaluator, fit->mixture, 1, 1000);
  ASSERT_TRUE(elbo.ok());
  EXPECT_NEAR(elbo->value, 0, 1e-3);
}

TEST(MixturePolishTest, NeverEndsBelowItsStart) {
  const PointTarget target = TwoModes();
  ThreadPool pool(2);
  Evaluator evaluator(target, pool, nullptr);
  double last = -std::numeric_limits<double>::infinity();
  for (int iterations : {1, 2, 4, 8}) {
    const absl::StatusOr<PolishedMixture> fit =
        PolishMixture(evaluator, RoughStart(), 1, {.max_iterations = iterations});
    ASSERT_TRUE(fit.ok());
    EXPECT_GE(fit->elbo, last);
    last = fit->elbo;
  }
}

TEST(MixturePolishTest, OneComponentIsTheGaussianFit) {
  const PointTarget target = BananaTarget();
  ThreadPool pool(2);
  Evaluator evaluator(target, pool, nullptr);
  AffineMixture start;
  start.log_weights = Eigen::VectorXd::Zero(1);
  start.components = {AffineGaussian::Isotropic(2, 1)};
  const absl::StatusOr<PolishedMixture> mixture = PolishMixture(
      evaluator, start, 1, {.draws = 32768, .max_iterations = 200, .tolerance = 1e-8});
  const absl::StatusOr<Polished> gaussian =
      PolishGaussian(evaluator, start.components[0], 1,
                     {.draws = 32768, .max_iterations = 200, .tolerance = 1e-8});
  ASSERT_TRUE(mixture.ok() && gaussian.ok());
  // Different draws, the same optimum.
  EXPECT_NEAR(mixture->elbo, gaussian->elbo, 0.03);
}

TEST(MixtureElboTest, MatchesTheClosedFormOfTwoFarComponents) {
  // q puts ½ on each of two modes whose true weights are ¾ and ¼: ELBO = ½ log(¾/½) + ½ log(¼/½).
  const PointTarget target = TwoModes();
  ThreadPool pool(2);
  Evaluator evaluator(target, pool, nullptr);
  AffineMixture q;
  q.log_weights = Eigen::Vector2d(0.5, 0.5).array().log();
  q.components = {AffineGaussian::Isotropic(2, 0.6), AffineGaussian::Isotropic(2, 0.6)};
  q.components[0].mean << -3, 0;
  q.components[1].mean << 3, 1;
  const absl::StatusOr<ElboEstimate> elbo = MixtureElbo(evaluator, q, 1, 1000);
  ASSERT_TRUE(elbo.ok());
  EXPECT_NEAR(elbo->value, 0.5 * std::log(1.5) + 0.5 * std::log(0.5), 1e-4);
}

}  // namespace
}  // namespace aisivi
