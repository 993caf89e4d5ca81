#include "engine/evidence/log_density.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cmath>
#include <limits>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tests/engine/evidence/testing.h"

namespace aisivi {
namespace {

using test::ExpectRefused;
using test::MakeComponent;
using test::MakeLineComponent;
using test::MakeModel;
using test::Normals;
using test::Random;
using test::TwoComponents;
using test::WrongLineModel;

TEST(LogDensityTest, IsTheQuadrature) {
  ThreadPool pool(2);
  const Eigen::MatrixXd near = Eigen::RowVectorXd::LinSpaced(23, -4, 4);
  const Eigen::MatrixXd far = (Eigen::RowVectorXd(7) << -12, -10, -8.5, 8, 9.5, 10, 13).finished();
  struct Case {
    std::shared_ptr<const Model> model;
    Eigen::MatrixXd z;
  };
  const std::vector<Case> cases = {Case{WrongLineModel(5), near},
                                   Case{WrongLineModel(3, false), near},
                                   Case{TwoComponents(1, true, 0.06), near},
                                   Case{TwoComponents(3, true, 0.06), near},
                                   Case{TwoComponents(1, false, 0.15), near},
                                   Case{TwoComponents(20, true, 0.06), far}};
  for (const Case& c : cases) {
    const Eigen::VectorXd truth = test::LineLogDensity(c.model->state(), c.z);
    int64_t inside = 0, total = 0;
    for (uint64_t seed = 0; seed < 10; ++seed) {
      const auto e = EvaluateLogDensity(*c.model, c.z, seed, 4000, pool);
      ASSERT_TRUE(e.ok()) << e.status();
      for (int64_t j = 0; j < c.z.cols(); ++j, ++total) {
        EXPECT_NEAR(e->log_q[j], truth[j], 0.05 + 3 * (e->upper[j] - e->lower[j])) << c.z(0, j);
        EXPECT_LE(e->lower[j], e->log_q[j]);
        EXPECT_GE(e->upper[j], e->log_q[j]);
        inside += e->lower[j] - 1e-4 <= truth[j] && truth[j] <= e->upper[j] + 1e-4;
      }
    }
    EXPECT_GE(inside, total * 4 / 5)
        << "of " << total << " in case " << (&c - cases.data()) << ": too narrow";
  }
}

TEST(LogDensityTest, OfAMixtureOfExactComponentsInSeveralDimensions) {
  Random random(6);
  ThreadPool pool(2);
  std::vector<Component> components;
  const std::vector<double> weights = {0.2, 0.5, 0.3};
  for (const double weight : weights) {
    components.push_back(MakeComponent({.dim = 3, .latent = 3}, Normals(3, 1, 1.5, random),
                                       test::RandomScale(3, random), weight, random));
  }
  const Eigen::MatrixXd z = Normals(3, 40, 2, random);
  const auto model = MakeModel(components);
  const auto e = EvaluateLogDensity(*model, z, 5, 2, pool);
  ASSERT_TRUE(e.ok()) << e.status();
  for (int64_t j = 0; j < z.cols(); ++j) {
    double density = 0;
    for (size_t c = 0; c < components.size(); ++c) {
      const AffineMap& a = components[c].affine;
      const Eigen::VectorXd x = a.scale.triangularView<Eigen::Lower>().solve(z.col(j) - a.shift);
      density += weights[c] *
                 std::exp(test::LogNormal(x, Eigen::VectorXd::Zero(3), Eigen::VectorXd::Ones(3)) -
                          a.LogDet());
    }
    EXPECT_NEAR(e->log_q[j], std::log(density), 1e-3);
  }
}

// N(0, 1) exactly, with a proposal `narrow` times as wide as the reverse conditional.
std::shared_ptr<const Model> NarrowProposal(float narrow) {
  Random random(1);
  constexpr float kSigma = 0.5f;
  Component component = MakeLineComponent({.sigma = kSigma}, 0, 1, 1, random);
  component.proposal = Proposal({.dim = 1,
                                 .latent_dim = 1,
                                 .linear_base = true,
                                 .slope = std::sqrt(1 - kSigma * kSigma),
                                 .sigma_scale = narrow * kSigma,
                                 .couplings = 0,
                                 .coupling_hidden = 4,
                                 .base_hidden = 4});
  component.proposal.Initialize(2);
  return MakeModel({component});
}

TEST(LogDensityTest, TheIntervalHoldsWithAProposalThatIsTooNarrow) {
  ThreadPool pool(2);
  const Eigen::MatrixXd z = Eigen::RowVectorXd::LinSpaced(200, -2, 2);
  const Eigen::ArrayXd truth =
      -0.5 * z.row(0).array().square().transpose() - 0.5 * std::log(2 * M_PI);
  const struct {
    float narrow;
    double least;  // coverage
  } cases[] = {{1.0f, 0.99}, {0.8f, 0.96}, {0.6f, 0.90}, {0.5f, 0.82}};
  for (const auto& c : cases) {
    int64_t inside = 0, total = 0;
    for (uint64_t seed = 0; seed < 8; ++seed) {
      const auto e = EvaluateLogDensity(*NarrowProposal(c.narrow), z, seed, 512, pool);
      ASSERT_TRUE(e.ok()) << e.status();
      for (int64_t j = 0; j < z.cols(); ++j, ++total) {
        inside += e->lower[j] - 1e-5 <= truth[j] && truth[j] <= e->upper[j] + 1e-5;
      }
    }
    EXPECT_GE(static_cast<double>(inside), c.least * static_cast<double>(total)) << c.narrow;
  }
}

TEST(LogDensityTest, TheIntervalNarrowsWithK) {
  ThreadPool pool(2);
  const auto model = WrongLineModel(5);
  const Eigen::MatrixXd z = Eigen::RowVectorXd::LinSpaced(30, -3, 3);
  double last = std::numeric_limits<double>::infinity();
  for (const int64_t k : {2, 20, 200, 4000}) {
    const auto e = EvaluateLogDensity(*model, z, 3, k, pool);
    ASSERT_TRUE(e.ok()) << e.status();
    const double width = (e->upper - e->lower).mean();
    EXPECT_LT(width, last) << k;
    last = width;
  }
  EXPECT_LT(last, 0.1);
}

TEST(LogDensityTest, OneSampleSaysNothingOfItsError) {
  ThreadPool pool(1);
  const auto e = EvaluateLogDensity(*WrongLineModel(5), Eigen::MatrixXd::Zero(1, 2), 3, 1, pool);
  ASSERT_TRUE(e.ok()) << e.status();
  EXPECT_TRUE(e->log_q.allFinite());
  EXPECT_EQ(e->lower[1], -std::numeric_limits<double>::infinity());
  EXPECT_EQ(e->upper[1], std::numeric_limits<double>::infinity());
}

TEST(LogDensityTest, SameBitsAtAnyThreadCount) {
  ThreadPool one(1), three(3);
  const Eigen::MatrixXd z = Eigen::RowVectorXd::LinSpaced(300, -3, 3);
  for (const auto& model : {WrongLineModel(5), TwoComponents(2, true, 0.1)}) {
    const auto a = EvaluateLogDensity(*model, z, 3, 100, one);
    const auto b = EvaluateLogDensity(*model, z, 3, 100, three);
    ASSERT_TRUE(a.ok() && b.ok());
    EXPECT_EQ(a->log_q, b->log_q);
    EXPECT_EQ(a->lower, b->lower);
    EXPECT_EQ(a->upper, b->upper);
    EXPECT_NE(a->log_q, EvaluateLogDensity(*model, z, 4, 100, one)->log_q);
  }
}

TEST(LogDensityTest, BadArgumentsAreRefusedByName) {
  ThreadPool pool(1);
  const auto model = WrongLineModel(1);
  const Eigen::MatrixXd wrong = Eigen::MatrixXd::Zero(2, 3);
  ExpectRefused(EvaluateLogDensity(*model, wrong, 1, 5, pool).status(), "points");
  Eigen::MatrixXd z = Eigen::MatrixXd::Zero(1, 3);
  ExpectRefused(EvaluateLogDensity(*model, z, 1, 0, pool).status(), "inner_samples");
  ExpectRefused(EvaluateLogDensity(*model, z, 1, int64_t{1} << 40, pool).status(), "inner_samples");
  z(0, 1) = std::numeric_limits<double>::quiet_NaN();
  ExpectRefused(EvaluateLogDensity(*model, z, 1, 5, pool).status(), "points");
}

TEST(LogDensityTest, NothingAskedNothingGivenAndCancelIsHeeded) {
  ThreadPool pool(1);
  const auto model = WrongLineModel(1);
  const auto e = EvaluateLogDensity(*model, Eigen::MatrixXd(1, 0), 1, 5, pool);
  ASSERT_TRUE(e.ok());
  EXPECT_EQ(e->log_q.size(), 0);
  const std::atomic<bool> cancel{true};
  EXPECT_EQ(
      EvaluateLogDensity(*model, Eigen::MatrixXd::Zero(1, 1), 1, 5, pool, &cancel).status().code(),
      absl::StatusCode::kCancelled);
}

// A thousand million inner samples: minutes, unless the pass itself looks at the flag.
TEST(LogDensityTest, CancelEndsAPassThatHasBegun) {
  ThreadPool pool(2);
  std::atomic<bool> cancel{false};
  std::thread canceller([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    cancel = true;
  });
  const auto e = EvaluateLogDensity(*WrongLineModel(1), Eigen::MatrixXd::Zero(1, 256), 1, 1 << 22,
                                    pool, &cancel);
  canceller.join();
  EXPECT_EQ(e.status().code(), absl::StatusCode::kCancelled);
}

}  // namespace
}  // namespace aisivi
