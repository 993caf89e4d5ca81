#include "engine/explore/base_refit.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cmath>

#include "tests/engine/targets/testing.h"

namespace aisivi {
namespace {

std::vector<Eigen::MatrixXd> NormalDraws(int dim, int count, double mean, double sd) {
  std::vector<Eigen::MatrixXd> draws;
  for (int i = 0; i < 8; ++i) {
    draws.push_back(test::RandomMatrix(dim, count, sd, i + 1).array() + mean);
  }
  return draws;
}

// The refit needs nothing of the target but the threads and the cancellation it comes with.
BaseRefit Refit(const AnnealingBase& base, const std::vector<Eigen::MatrixXd>& draws) {
  const auto target = test::Make("banana");
  ThreadPool pool(2);
  Evaluator evaluator(*target, pool, nullptr);
  absl::StatusOr<BaseRefit> refit = RefitBase(evaluator, base, draws);
  EXPECT_TRUE(refit.ok()) << refit.status();
  return refit.ok() ? *std::move(refit) : BaseRefit();
}

TEST(BaseRefitTest, FindsMeanAndScale) {
  const BaseRefit refit =
      Refit(MakeBase({AffineGaussian::Isotropic(3, 1)}), NormalDraws(3, 200, 2, 3));
  ASSERT_EQ(refit.base.size(), 1);
  EXPECT_GT(refit.gain, 1);
  EXPECT_GT(refit.deficit, 1);
  EXPECT_NEAR(refit.base.components[0].mean.mean(), 2, 0.3);
  EXPECT_NEAR(refit.base.components[0].scale.diagonal().mean(), 2.8, 0.4);
}

TEST(BaseRefitTest, FewDrawsInManyDimensionsChangeLittle) {
  const BaseRefit refit =
      Refit(MakeBase({AffineGaussian::Isotropic(100, 1)}), NormalDraws(100, 30, 0, 1));
  EXPECT_LT(refit.gain, 0.5);
  EXPECT_LT(refit.deficit, 0.05);
  EXPECT_NEAR(refit.base.components[0].scale.diagonal().mean(), 1, 0.1);
}

TEST(BaseRefitTest, CutsWhatHasTwoScales) {
  std::vector<Eigen::MatrixXd> draws = NormalDraws(4, 300, 0, 1);
  for (Eigen::MatrixXd& z : draws) {
    for (int64_t i = 0; i < z.cols(); ++i) z.col(i).tail(3) *= std::exp(1.5 * z(0, i));
  }
  const BaseRefit refit = Refit(MakeBase({AffineGaussian::Isotropic(4, 1)}), draws);
  EXPECT_GE(refit.base.size(), 4);
  double narrowest = 1e9, widest = 0;
  for (const AffineGaussian& component : refit.base.components) {
    narrowest = std::min(narrowest, component.scale(3, 3));
    widest = std::max(widest, component.scale(3, 3));
  }
  EXPECT_GT(widest, 4 * narrowest);
}

TEST(BaseRefitTest, NoDrawsNoChange) {
  const BaseRefit refit = Refit(MakeBase({AffineGaussian::Isotropic(2, 1)}),
                                std::vector<Eigen::MatrixXd>(8, Eigen::MatrixXd(2, 0)));
  EXPECT_EQ(refit.gain, 0);
  EXPECT_EQ(refit.base.components[0].scale, Eigen::MatrixXd::Identity(2, 2));
}

TEST(BaseRefitTest, Cancelled) {
  const auto target = test::Make("banana");
  ThreadPool pool(2);
  const std::atomic<bool> cancel = true;
  Evaluator evaluator(*target, pool, &cancel);
  const auto refit =
      RefitBase(evaluator, MakeBase({AffineGaussian::Isotropic(2, 1)}), NormalDraws(2, 50, 0, 1));
  EXPECT_EQ(refit.status().code(), absl::StatusCode::kCancelled);
}

}  // namespace
}  // namespace aisivi
