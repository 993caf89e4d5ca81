// The conditioned diffusion against a plain loop over its definition, and its parameters.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

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
  EXPECT_EQ(target->CoordinateNames()[99], "u.100");
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

TEST(ConditionedDiffusionTest, LogZIsKnownForTheDefaultsOnly) {
  const TargetEntry& entry = **FindTarget("conditioned_diffusion");
  ASSERT_TRUE(entry.known_log_z({}).has_value());
  EXPECT_EQ(*entry.known_log_z({}), -0.690);
  EXPECT_EQ(entry.known_log_z({{"beta", 10.0}, {"steps", 100.0}}), -0.690);
  EXPECT_FALSE(entry.known_log_z({{"beta", 9.0}}).has_value());
  EXPECT_FALSE(entry.known_log_z({{"steps", 40.0}}).has_value());
  EXPECT_FALSE(entry.known_log_z({{"observations", Eigen::VectorXd{{0.1}}}}).has_value());
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
