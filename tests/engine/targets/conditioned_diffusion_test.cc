// The conditioned diffusion against a plain loop over its definition, and its parameters.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <Eigen/Cholesky>
#include <Eigen/LU>
#include <algorithm>
#include <cmath>
#include <optional>

#include "tests/engine/targets/testing.h"

namespace aisivi {
namespace {

using ::testing::StartsWith;

struct Observation {
  int step;  // from 1
  double value;
};

double Reference(const Eigen::VectorXd& u, double time, double beta, double noise,
                 const std::vector<Observation>& observations) {
  const double pi = std::acos(-1.0);
  const double dt = time / static_cast<double>(u.size());
  double previous = 0, sum = 0;
  for (double next : u) {
    const double drift = beta * (previous - std::pow(previous, 3)) / (1 + previous * previous);
    const double residual = next - previous - dt * drift;
    sum += -0.5 * std::log(2 * pi * dt) - residual * residual / (2 * dt);
    previous = next;
  }
  for (const Observation& o : observations) {
    const double residual = o.value - u(o.step - 1);
    sum += -0.5 * std::log(2 * pi * noise * noise) - residual * residual / (2 * noise * noise);
  }
  return sum;
}

// The published instance, every fifth step.
std::vector<Observation> PublishedObservations() {
  const double values[] = {-0.492256761, -0.9104231,  -1.07145607,  -0.935494125, -0.989426732,
                           -0.745447457, -1.1115911,  -1.23858333,  -1.28959036,  -1.50376725,
                           -0.920019269, -1.12719429, -1.403862,    -1.10765707,  -0.701482058,
                           -0.649001837, -1.00546443, -0.846095145, -0.61808151,  -0.767638683};
  std::vector<Observation> observations;
  for (int j = 0; j < 20; ++j) observations.push_back({5 * (j + 1), values[j]});
  return observations;
}

TEST(ConditionedDiffusionTest, DefaultsEqualThePublishedInstance) {
  const auto target = test::Make("conditioned_diffusion");
  ASSERT_EQ(target->dim(), 100);
  for (double scale : {0.0, 0.3, 2.0}) {
    const Eigen::MatrixXd u = test::RandomMatrix(100, 3, scale, 8);
    for (int n = 0; n < u.cols(); ++n) {
      const double expected = Reference(u.col(n), 1, 10, 0.1, PublishedObservations());
      EXPECT_NEAR(test::LogDensity(*target, u)(n), expected, 1e-11 * std::abs(expected));
    }
  }
  EXPECT_EQ(target->CoordinateNames()[99], "u[100]");
}

TEST(ConditionedDiffusionTest, EveryParameterCounts) {
  const auto target =
      test::Make("conditioned_diffusion", {{"steps", 50.0},
                                           {"time", 2.5},
                                           {"beta", -3.0},
                                           {"noise", 0.4},
                                           {"observations", Eigen::VectorXd{{0.3, -0.7, 0.2}}},
                                           {"observation_steps", Eigen::VectorXd{{1, 17, 50}}}});
  const Eigen::MatrixXd u = test::RandomMatrix(50, 3, 1.0, 8);
  for (int n = 0; n < u.cols(); ++n) {
    const double expected = Reference(u.col(n), 2.5, -3, 0.4, {{1, 0.3}, {17, -0.7}, {50, 0.2}});
    EXPECT_NEAR(test::LogDensity(*target, u)(n), expected, 1e-11 * std::abs(expected));
  }
}

TEST(ConditionedDiffusionTest, ObservationsAreEquallySpacedByDefault) {
  const TargetParameters spaced = {{"steps", 50.0}, {"observations", Eigen::VectorXd{{0.1, 0.2}}}};
  TargetParameters given = spaced;
  given["observation_steps"] = Eigen::VectorXd{{25, 50}};
  const Eigen::MatrixXd u = test::RandomMatrix(50, 1, 1.0, 8);
  EXPECT_EQ(test::LogDensity(*test::Make("conditioned_diffusion", spaced), u),
            test::LogDensity(*test::Make("conditioned_diffusion", given), u));
  // Empty vectors count as not given.
  given["observation_steps"] = Eigen::VectorXd();
  EXPECT_EQ(test::LogDensity(*test::Make("conditioned_diffusion", spaced), u),
            test::LogDensity(*test::Make("conditioned_diffusion", given), u));
}

TEST(ConditionedDiffusionTest, OneStepIsGaussianEverywhere) {
  const auto target =
      test::Make("conditioned_diffusion",
                 {{"steps", 1.0}, {"observations", Eigen::VectorXd{{0.5}}}, {"noise", 2.0}});
  const Eigen::MatrixXd u = Eigen::MatrixXd::Constant(1, 1, 1e6);
  EXPECT_NEAR(test::Score(*target, u)(0), -1e6 + (0.5 - 1e6) / 4, 1e-6);
}

std::optional<double> KnownLogZ(const TargetParameters& parameters) {
  return (*FindTarget("conditioned_diffusion"))->known_log_z(parameters);
}

TEST(ConditionedDiffusionTest, LogZOfThePublishedInstance) {
  // A dense grid of 2,001 points, and one over a longer line, give -0.69599741; a particle filter
  // of 10⁶ particles -0.690 ± 0.005.
  ASSERT_TRUE(KnownLogZ({}).has_value());
  EXPECT_NEAR(*KnownLogZ({}), -0.69599741, 1e-7);
}

TEST(ConditionedDiffusionTest, LogZWithoutDriftIsThatOfARandomWalk) {
  // y ~ N(0, C), C_jk = min(t_j, t_k) + σ² δ_jk.
  const Eigen::VectorXd y{{0.7, -0.4, 1.9}}, at{{3, 4, 9}};
  const double noise = 0.3, dt = 2.0 / 10;
  Eigen::MatrixXd c(3, 3);
  for (int j = 0; j < 3; ++j) {
    for (int k = 0; k < 3; ++k) c(j, k) = dt * std::min(at(j), at(k)) + (j == k) * noise * noise;
  }
  const double truth =
      -0.5 * y.dot(c.ldlt().solve(y)) - 0.5 * std::log((2 * std::acos(-1.0) * c).determinant());
  const auto found = KnownLogZ({{"steps", 10.0},
                                {"time", 2.0},
                                {"beta", 0.0},
                                {"noise", noise},
                                {"observations", y},
                                {"observation_steps", at}});
  ASSERT_TRUE(found.has_value());
  EXPECT_NEAR(*found, truth, 1e-9);
}

TEST(ConditionedDiffusionTest, LogZIsUnknownWhereAGridCannotTell) {
  EXPECT_FALSE(KnownLogZ({{"beta", -1.0}}).has_value());
  EXPECT_FALSE(KnownLogZ({{"beta", 200.0}}).has_value());
  EXPECT_FALSE(KnownLogZ({{"noise", 1e-9}}).has_value());
  EXPECT_FALSE(KnownLogZ({{"observations", Eigen::VectorXd{{50.0}}}}).has_value());
  EXPECT_FALSE(KnownLogZ({{"observations", Eigen::VectorXd{{1e9}}}}).has_value());
  EXPECT_FALSE(KnownLogZ({{"steps", 3.0}}).has_value());  // 20 observations do not fit
  EXPECT_FALSE(
      KnownLogZ({{"steps", 10000.0}, {"observations", Eigen::VectorXd{{0.5}}}}).has_value());
}

TEST(ConditionedDiffusionTest, BadObservationsAreNamed) {
  const auto error = [](const TargetParameters& p) {
    return test::Error("conditioned_diffusion", p);
  };
  EXPECT_THAT(error({{"steps", 50.0}}), StartsWith("observations: 20 of them"));
  const Eigen::VectorXd two{{0.1, 0.2}};
  const auto steps = [&](const Eigen::VectorXd& at) {
    return error({{"observations", two}, {"observation_steps", at}});
  };
  EXPECT_THAT(steps(Eigen::VectorXd{{1}}), StartsWith("observation_steps: has 1 entries"));
  EXPECT_THAT(steps(Eigen::VectorXd{{0, 3}}), StartsWith("observation_steps: entry 1 is 0"));
  EXPECT_THAT(steps(Eigen::VectorXd{{5, 101}}), StartsWith("observation_steps: entry 2 is 101"));
  EXPECT_THAT(steps(Eigen::VectorXd{{5, 7.5}}), StartsWith("observation_steps: entry 2 is 7.5"));
  EXPECT_THAT(steps(Eigen::VectorXd{{5, 5}}), StartsWith("observation_steps: entry 2 does not"));
  EXPECT_THAT(error({{"noise", 0.0}}), StartsWith("noise: must be between"));
  EXPECT_THAT(error({{"time", -1.0}}), StartsWith("time: must be between"));
}

}  // namespace
}  // namespace aisivi
