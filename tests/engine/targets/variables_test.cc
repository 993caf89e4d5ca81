// What the draws of targets with constrained or derived parameters are shown as.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "engine/transforms/names.h"
#include "tests/engine/targets/testing.h"

namespace aisivi {
namespace {

using ::testing::ElementsAre;

Eigen::VectorXd Shown(const Target& target, const Eigen::VectorXd& z) {
  Eigen::MatrixXd values;
  EXPECT_TRUE(target.Constrain(z, 0, 0, &values).ok());
  return values.col(0);
}

TEST(VariablesTest, EightSchoolsShowTauAndTheEffects) {
  const auto target = test::Make("eight_schools", {});
  const std::vector<std::string> names = ElementNames(target->Variables());
  ASSERT_EQ(names.size(), 18u);
  EXPECT_EQ(names[1], "tau");
  EXPECT_EQ(names[2], "eta[1]");
  EXPECT_EQ(names[17], "theta[8]");
  EXPECT_EQ(target->CoordinateNames()[1], "log_tau");
  Eigen::VectorXd z = Eigen::VectorXd::LinSpaced(10, 1, 10);
  z(1) = std::log(2.5);
  const Eigen::VectorXd values = Shown(*target, z);
  EXPECT_EQ(values(0), 1);
  EXPECT_NEAR(values(1), 2.5, 1e-15);
  for (int j = 0; j < 8; ++j) EXPECT_NEAR(values(10 + j), 1 + 2.5 * z(2 + j), 1e-13);
}

TEST(VariablesTest, LinearRegressionShowsSigma) {
  const auto target = test::Make("linear_regression", {{"x", Eigen::MatrixXd{{1, 2}, {3, 5}}},
                                                       {"y", Eigen::VectorXd{{1, 2}}}});
  EXPECT_THAT(ElementNames(target->Variables()), ElementsAre("beta[1]", "beta[2]", "sigma"));
  EXPECT_THAT(target->CoordinateNames(), ElementsAre("beta[1]", "beta[2]", "log_sigma"));
  EXPECT_NEAR(Shown(*target, Eigen::Vector3d(1, 2, -1))(2), std::exp(-1.0), 1e-15);
}

TEST(VariablesTest, TheFunnelAndTheNetworkHaveTheirBlocks) {
  EXPECT_THAT(ElementNames(test::Make("funnel", {{"dimension", 3.0}})->Variables()),
              ElementsAre("v", "x[1]", "x[2]"));
  const auto network = test::Make(
      "bayesian_neural_network",
      {{"x", Eigen::MatrixXd{{1}, {2}}}, {"y", Eigen::VectorXd{{1, 2}}}, {"hidden", 2.0}});
  EXPECT_THAT(ElementNames(network->Variables()),
              ElementsAre("w[1,1]", "w[2,1]", "b[1]", "b[2]", "v[1]", "v[2]", "c", "sigma"));
}

TEST(VariablesTest, PointsOfAnotherDimensionAreRefused) {
  Eigen::MatrixXd values;
  for (const char* name : {"eight_schools", "banana"}) {
    const absl::Status status =
        test::Make(name, {})->Constrain(Eigen::MatrixXd::Zero(3, 1), 0, 0, &values);
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << name;
  }
}

}  // namespace
}  // namespace aisivi
