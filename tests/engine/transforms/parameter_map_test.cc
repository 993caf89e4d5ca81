#include "engine/transforms/parameter_map.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "engine/transforms/names.h"
#include "tests/engine/not_finite.h"

namespace aisivi {
namespace {

using test::kInfinity;
using ::testing::ElementsAre;
using Kind = ConstraintKind;

Constraint Of(Kind kind) {
  Constraint constraint;
  constraint.kind = kind;
  constraint.upper = 1;
  return constraint;
}

void ExpectRefused(std::vector<Parameter> parameters, const std::string& message) {
  const absl::Status status = ParameterMap::Make(std::move(parameters)).status();
  EXPECT_TRUE(absl::IsInvalidArgument(status)) << message;
  EXPECT_EQ(std::string(status.message()).substr(0, message.size()), message);
}

TEST(ParameterMapTest, LaysParametersOneAfterTheOther) {
  const ParameterMap map = *ParameterMap::Make({{"mu", {}, {}},
                                                {"tau", {}, Of(Kind::kLower)},
                                                {"pi", {3}, Of(Kind::kSimplex)},
                                                {"beta", {2}, {}}});
  EXPECT_EQ(map.unconstrained(), 6);
  EXPECT_EQ(map.constrained(), 7);
  Eigen::MatrixXd y(6, 1), x;
  y << 0.5, 1, 0, 0, 2, 3;
  Eigen::VectorXd log_jacobian;
  map.Constrain(y, &x, &log_jacobian);
  EXPECT_EQ(x(0), 0.5);
  EXPECT_EQ(x(1), std::exp(1.0));
  EXPECT_NEAR(x(2), 1.0 / 3, 1e-15);
  EXPECT_EQ(x(5), 2);
  EXPECT_EQ(x(6), 3);
  // e for tau; ∂(x_1, x_2)/∂(y_1, y_2) = diag(2/9, 1/6).
  EXPECT_NEAR(log_jacobian(0), 1 + std::log(2.0 / 9) + std::log(1.0 / 6), 1e-14);
  EXPECT_THAT(ElementNames(map.Variables()),
              ElementsAre("mu", "tau", "pi[1]", "pi[2]", "pi[3]", "beta[1]", "beta[2]"));
}

TEST(ParameterMapTest, NoPointsAreNoPoints) {
  const ParameterMap map = *ParameterMap::Make({{"tau", {2}, Of(Kind::kLower)}});
  Eigen::MatrixXd x, y;
  Eigen::VectorXd log_jacobian;
  map.Constrain(Eigen::MatrixXd(2, 0), &x, &log_jacobian);
  EXPECT_EQ(x.rows(), 2);
  EXPECT_EQ(x.cols(), 0);
  EXPECT_EQ(log_jacobian.size(), 0);
  ASSERT_TRUE(map.Unconstrain(x, &y).ok());
  EXPECT_EQ(y.cols(), 0);
}

TEST(ParameterMapTest, NamesOfCoordinates) {
  const ParameterMap map = *ParameterMap::Make({{"tau", {}, Of(Kind::kLower)},
                                                {"w", {2, 2}, {}},
                                                {"pi", {3}, Of(Kind::kSimplex)},
                                                {"rho", {2, 3}, Of(Kind::kSimplex)},
                                                {"omega", {3, 3}, Of(Kind::kCorrMatrix)}});
  const std::vector<std::string> names = map.CoordinateNames();
  EXPECT_THAT(names, ElementsAre("tau", "w[1,1]", "w[2,1]", "w[1,2]", "w[2,2]", "pi[1]", "pi[2]",
                                 "rho[1,1]", "rho[1,2]", "rho[2,1]", "rho[2,2]", "omega[1]",
                                 "omega[2]", "omega[3]"));
  EXPECT_EQ(static_cast<int64_t>(names.size()), map.unconstrained());
  EXPECT_EQ(std::set<std::string>(names.begin(), names.end()).size(), names.size());
}

TEST(ParameterMapTest, OneElementWithoutCoordinatesAmongOthers) {
  const ParameterMap map = *ParameterMap::Make({{"pi", {1}, Of(Kind::kSimplex)}, {"mu", {}, {}}});
  EXPECT_EQ(map.unconstrained(), 1);
  Eigen::MatrixXd x, y;
  map.Constrain(Eigen::MatrixXd::Constant(1, 1, 4.0), &x, nullptr);
  EXPECT_EQ(x(0), 1);
  EXPECT_EQ(x(1), 4);
  ASSERT_TRUE(map.Unconstrain(x, &y).ok());
  EXPECT_EQ(y(0), 4);
  ExpectRefused({{"pi", {1}, Of(Kind::kSimplex)}}, "parameters: have no free coordinate");
}

TEST(ParameterMapTest, NamesThatAreNone) {
  for (const std::string& name : {std::string(), std::string("1x"), std::string("_x"),
                                  std::string("a.b"), std::string("a[1]"), std::string(64, 'a')}) {
    ExpectRefused({{"mu", {}, {}}, {name, {}, {}}}, "parameters[1].name: must be a letter");
  }
  EXPECT_TRUE(ParameterMap::Make({{std::string(63, 'a'), {}, {}}}).ok());
  ExpectRefused({{"mu", {}, {}}, {"mu", {2}, {}}}, "parameters[1].name: \"mu\" is there twice");
}

TEST(ParameterMapTest, ShapesThatCannotBe) {
  ExpectRefused({}, "parameters: have no free coordinate");
  ExpectRefused({{"x", {2, 0}, {}}}, "parameters[0].shape: has a size of 0");
  ExpectRefused({{"x", {-1}, {}}}, "parameters[0].shape: has a size of -1");
  ExpectRefused({{"x", std::vector<int64_t>(9, 1), {}}}, "parameters[0].shape: has more than 8");
  ExpectRefused({{"x", {kMaxElements, kMaxElements, INT64_MAX}, {}}},
                "parameters[0].shape: has more than 131072 elements");
  ExpectRefused({{"x", {kMaxElements}, {}}, {"y", {}, {}}},
                "parameters: have more than 131072 elements");
  ExpectRefused(std::vector<Parameter>(kMaxParameters + 1), "parameters: has more than 4096");
  ExpectRefused({{"x", {}, Of(Kind::kSimplex)}},
                "parameters[0].shape: has 0 sizes; simplex needs at least 1");
  ExpectRefused({{"x", {3}, Of(Kind::kCovMatrix)}},
                "parameters[0].shape: has 1 sizes; cov_matrix needs at least 2");
  ExpectRefused({{"x", {3, 2}, Of(Kind::kCorrMatrix)}}, "parameters[0].shape: is 3 by 2");
  ExpectRefused({{"x", {5, 2, 3}, Of(Kind::kCholeskyFactorCov)}},
                "parameters[0].shape: is 2 by 3 in its last two indices, must have at least");
}

TEST(ParameterMapTest, ConstraintsThatCannotBe) {
  const auto constraint = [](Kind kind, double lower, double upper, double offset,
                             double multiplier) {
    return Constraint{kind, lower, upper, offset, multiplier};
  };
  const auto refused = [](const Constraint& c, const std::string& message) {
    ExpectRefused({{"x", {}, c}}, "parameters[0].constraint." + message);
  };
  refused(constraint(Kind::kLower, kInfinity, 0, 0, 1), "lower: is inf");
  refused(constraint(Kind::kUpper, 0, std::nan(""), 0, 1), "upper: is nan");
  refused(constraint(Kind::kInterval, -kInfinity, 0, 0, 1), "lower: is -inf");
  refused(constraint(Kind::kInterval, 0, kInfinity, 0, 1), "upper: is inf");
  refused(constraint(Kind::kInterval, 1, 1, 0, 1), "upper: is 1, must be above lower, 1");
  refused(constraint(Kind::kInterval, -1.5e308, 1.5e308, 0, 1), "upper: is too far");
  refused(constraint(Kind::kAffine, 0, 0, kInfinity, 1), "offset: is inf");
  refused(constraint(Kind::kAffine, 0, 0, 0, std::nan("")), "multiplier: is nan");
  refused(constraint(Kind::kAffine, 0, 0, 0, 0), "multiplier: is 0, must be positive");
  refused(constraint(static_cast<Kind>(99), 0, 0, 0, 1), "kind: is not known");
  // Numbers that the kind does not use may be anything.
  EXPECT_TRUE(
      ParameterMap::Make({{"x", {}, constraint(Kind::kLower, 0, kInfinity, kInfinity, -1)}}).ok());
}

TEST(ParameterMapTest, AnErrorNamesThePoint) {
  const ParameterMap map = *ParameterMap::Make({{"mu", {}, {}}, {"tau", {}, Of(Kind::kLower)}});
  Eigen::MatrixXd x(2, 3), y;
  x << 0, 0, 0, 1, 2, -3;
  EXPECT_EQ(map.Unconstrain(x, &y).message(), "tau: point 3: element 1 is -3, not above 0");
}

}  // namespace
}  // namespace aisivi
