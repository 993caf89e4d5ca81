#include "engine/transforms/registry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <Eigen/Core>
#include <Eigen/Eigenvalues>
#include <Eigen/QR>
#include <cmath>
#include <random>

#include "absl/strings/str_cat.h"
#include "engine/transforms/parameter_map.h"
#include "tests/engine/not_finite.h"

namespace aisivi {
namespace {

using test::kInfinity;
using ::testing::HasSubstr;
using Kind = ConstraintKind;

// A constraint of the kind whose numbers are all used and none is a default.
Constraint ConstraintOf(Kind kind) {
  Constraint constraint;
  constraint.kind = kind;
  constraint.lower = -1.5;
  constraint.upper = 2.25;
  constraint.offset = 0.75;
  constraint.multiplier = 3;
  return constraint;
}

std::vector<std::vector<int64_t>> Shapes(const TransformEntry& entry) {
  if (entry.indices == 0) return {{}, {3}, {2, 3}};
  if (entry.indices == 1) return {{2}, {5}, {2, 3}, {2, 2, 3}};
  std::vector<std::vector<int64_t>> shapes = {{2, 2}, {4, 4}, {2, 3, 3}};
  if (entry.check_block({4, 2}).ok()) shapes.push_back({4, 2});
  return shapes;
}

ParameterMap MapOf(Kind kind, const std::vector<int64_t>& shape) {
  absl::StatusOr<ParameterMap> map = ParameterMap::Make({{"theta", shape, ConstraintOf(kind)}});
  EXPECT_TRUE(map.ok()) << map.status();
  return *std::move(map);
}

Eigen::MatrixXd RandomPoints(Eigen::Index rows, Eigen::Index columns, unsigned seed) {
  std::mt19937_64 engine(seed);
  std::normal_distribution<double> normal;
  return Eigen::MatrixXd::NullaryExpr(rows, columns, [&] { return normal(engine); });
}

struct Point {
  Eigen::VectorXd x;
  double log_jacobian = 0;
};

Point At(const ParameterMap& map, const Eigen::VectorXd& y) {
  Eigen::MatrixXd x;
  Eigen::VectorXd log_jacobian;
  map.Constrain(y, &x, &log_jacobian);
  return {x.col(0), log_jacobian(0)};
}

Eigen::VectorXd PullBackAt(const ParameterMap& map, const Eigen::VectorXd& y,
                           const Eigen::VectorXd& grad_x) {
  Eigen::MatrixXd grad_y;
  map.PullBack(y, At(map, y).x, grad_x, &grad_y);
  return grad_y.col(0);
}

// Whether a block's element i (row, column of a matrix) can move freely.
bool IsFree(Kind kind, int64_t size, int64_t row, int64_t column) {
  switch (kind) {
    case Kind::kSimplex:
      return row + 1 < size;
    case Kind::kCholeskyFactorCov:
    case Kind::kCovMatrix:
      return row >= column;
    case Kind::kCholeskyFactorCorr:
    case Kind::kCorrMatrix:
      return row > column;
    default:
      return true;
  }
}

// The rows of a parameter's elements that |J| is taken over.
std::vector<Eigen::Index> FreeElements(const TransformEntry& entry,
                                       const std::vector<int64_t>& shape) {
  std::vector<int64_t> block(shape.end() - entry.indices, shape.end());
  block.resize(2, 1);
  int64_t blocks = 1;
  for (size_t k = 0; k + entry.indices < shape.size(); ++k) blocks *= shape[k];
  std::vector<Eigen::Index> elements;
  for (int64_t b = 0; b < blocks; ++b) {
    for (int64_t i = 0; i < block[0] * block[1]; ++i) {
      if (IsFree(entry.kind, block[0], i % block[0], i / block[0])) {
        elements.push_back(b + blocks * i);
      }
    }
  }
  return elements;
}

// ½ log det JᵀJ by central differences.
double NumericalLogJacobian(const ParameterMap& map, const Eigen::VectorXd& y,
                            const std::vector<Eigen::Index>& elements) {
  constexpr double kStep = 1e-5;
  Eigen::MatrixXd jacobian(elements.size(), y.size());
  for (Eigen::Index d = 0; d < y.size(); ++d) {
    Eigen::VectorXd up = y, down = y;
    up(d) += kStep;
    down(d) -= kStep;
    const Eigen::VectorXd slope = (At(map, up).x - At(map, down).x) / (2 * kStep);
    for (size_t i = 0; i < elements.size(); ++i) jacobian(i, d) = slope(elements[i]);
  }
  const Eigen::HouseholderQR<Eigen::MatrixXd> qr(jacobian);
  return qr.matrixQR().diagonal().array().abs().log().sum();
}

class TransformTest : public ::testing::TestWithParam<TransformEntry> {};

INSTANTIATE_TEST_SUITE_P(Registry, TransformTest, ::testing::ValuesIn(TransformRegistry()),
                         [](const auto& info) { return info.param.name; });

TEST(TransformRegistryTest, HasEveryKindOnceAndNoOther) {
  for (int kind = 0; kind <= static_cast<int>(Kind::kCorrMatrix); ++kind) {
    int entries = 0;
    for (const TransformEntry& entry : TransformRegistry()) {
      entries += entry.kind == static_cast<Kind>(kind);
    }
    EXPECT_EQ(entries, 1) << kind;
    ASSERT_NE(FindTransform(static_cast<Kind>(kind)), nullptr);
  }
  EXPECT_EQ(FindTransform(static_cast<Kind>(1000)), nullptr);
}

TEST_P(TransformTest, GoesThereAndBack) {
  for (const auto& shape : Shapes(GetParam())) {
    const ParameterMap map = MapOf(GetParam().kind, shape);
    const Eigen::MatrixXd y = 1.5 * RandomPoints(map.unconstrained(), 20, 1);
    Eigen::MatrixXd x, again;
    map.Constrain(y, &x, nullptr);
    ASSERT_EQ(x.rows(), map.constrained());
    const absl::Status status = map.Unconstrain(x, &again);
    ASSERT_TRUE(status.ok()) << status;
    EXPECT_LT((again - y).cwiseAbs().maxCoeff(), 1e-7);
  }
}

TEST_P(TransformTest, JacobianIsThatOfDifferences) {
  for (const auto& shape : Shapes(GetParam())) {
    const ParameterMap map = MapOf(GetParam().kind, shape);
    const std::vector<Eigen::Index> elements = FreeElements(GetParam(), shape);
    for (unsigned seed = 0; seed < 5; ++seed) {
      const Eigen::VectorXd y = RandomPoints(map.unconstrained(), 1, seed);
      EXPECT_NEAR(At(map, y).log_jacobian, NumericalLogJacobian(map, y, elements), 2e-7)
          << GetParam().name << " " << y.transpose();
    }
  }
}

// Of f = Σ c_i x_i² / 2, in which every element has a derivative of its own.
TEST_P(TransformTest, PullBackIsTheGradient) {
  constexpr double kStep = 1e-5;
  for (const auto& shape : Shapes(GetParam())) {
    const ParameterMap map = MapOf(GetParam().kind, shape);
    const Eigen::ArrayXd c = RandomPoints(map.constrained(), 1, 7);
    const auto value = [&](const Eigen::VectorXd& y) {
      const Point point = At(map, y);
      return 0.5 * (c * point.x.array().square()).sum() + point.log_jacobian;
    };
    const Eigen::VectorXd y = RandomPoints(map.unconstrained(), 1, 3);
    const Eigen::VectorXd gradient = PullBackAt(map, y, c * At(map, y).x.array());
    for (Eigen::Index d = 0; d < y.size(); ++d) {
      Eigen::VectorXd up = y, down = y;
      up(d) += kStep;
      down(d) -= kStep;
      const double difference = (value(up) - value(down)) / (2 * kStep);
      EXPECT_NEAR(gradient(d), difference, 1e-6 * (1 + std::fabs(difference))) << d;
    }
  }
}

// The columns of a batch and the blocks of an array do not mix.
TEST_P(TransformTest, PointsAndBlocksAreApart) {
  for (const auto& shape : Shapes(GetParam())) {
    const ParameterMap map = MapOf(GetParam().kind, shape);
    const Eigen::MatrixXd y = RandomPoints(map.unconstrained(), 3, 5);
    Eigen::MatrixXd x, grad_y;
    Eigen::VectorXd log_jacobian;
    map.Constrain(y, &x, &log_jacobian);
    const Eigen::MatrixXd grad_x = RandomPoints(map.constrained(), 3, 6);
    map.PullBack(y, x, grad_x, &grad_y);
    for (Eigen::Index n = 0; n < 3; ++n) {
      const Point alone = At(map, y.col(n));
      EXPECT_EQ(x.col(n), alone.x);
      EXPECT_EQ(log_jacobian(n), alone.log_jacobian);
      EXPECT_EQ(grad_y.col(n), PullBackAt(map, y.col(n), grad_x.col(n)));
    }
  }
  if (GetParam().indices != 1) return;
  const ParameterMap pair = MapOf(GetParam().kind, {2, 3}), one = MapOf(GetParam().kind, {3});
  const Eigen::VectorXd y = RandomPoints(pair.unconstrained(), 1, 8);
  const Eigen::VectorXd x = At(pair, y).x;
  for (int b = 0; b < 2; ++b) {
    const Eigen::VectorXd alone =
        At(one, y.segment(b * one.unconstrained(), one.unconstrained())).x;
    for (int k = 0; k < 3; ++k) EXPECT_EQ(x(b + 2 * k), alone(k));
  }
}

// At |y| = 700 the Jacobian and its gradient are numbers, and x is one or overflows to infinity.
TEST_P(TransformTest, ExtremesAreComputed) {
  for (const auto& shape : Shapes(GetParam())) {
    const ParameterMap map = MapOf(GetParam().kind, shape);
    std::mt19937_64 engine(11);
    for (int trial = 0; trial < 50; ++trial) {
      const Eigen::VectorXd y = Eigen::VectorXd::NullaryExpr(
          map.unconstrained(), [&] { return 700.0 * (static_cast<int>(engine() % 3) - 1); });
      const Point point = At(map, y);
      EXPECT_FALSE(point.x.hasNaN()) << y.transpose();
      ASSERT_TRUE(std::isfinite(point.log_jacobian)) << y.transpose();
      // With f = 0 what is left is the gradient of log|J|.
      const Eigen::VectorXd slope = PullBackAt(map, y, Eigen::VectorXd::Zero(map.constrained()));
      for (Eigen::Index d = 0; d < y.size(); ++d) {
        Eigen::VectorXd up = y, down = y;
        up(d) += 1e-3;
        down(d) -= 1e-3;
        const double difference = (At(map, up).log_jacobian - At(map, down).log_jacobian) / 2e-3;
        EXPECT_NEAR(slope(d), difference, 1e-5) << y.transpose();
      }
    }
  }
}

// What can be inverted at the ends of the range is.
TEST(TransformExtremesTest, SmallAndLargeComeBack) {
  Constraint positive;
  positive.kind = Kind::kLower;
  const std::vector<Parameter> parameters = {
      {"tau", {}, positive}, {"l", {2, 2}, ConstraintOf(Kind::kCholeskyFactorCorr)}};
  const ParameterMap map = *ParameterMap::Make(parameters);
  for (const double y : {-700.0, -30.0, 30.0, 700.0}) {
    const Eigen::VectorXd point = Eigen::VectorXd::Constant(2, y);
    Eigen::MatrixXd again;
    ASSERT_TRUE(map.Unconstrain(At(map, point).x, &again).ok()) << y;
    EXPECT_NEAR(again(0), y, 1e-9);
    EXPECT_NEAR(again(1), y, 1e-9);
  }
}

double SmallestEigenvalue(const Eigen::MatrixXd& matrix) {
  return Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd>(matrix).eigenvalues()(0);
}

// A vector of four, or a matrix of three by three, of each kind.
TEST_P(TransformTest, ConstraintIsSatisfied) {
  const int indices = GetParam().indices;
  const std::vector<int64_t> shape =
      indices == 2 ? std::vector<int64_t>{3, 3} : std::vector<int64_t>{4};
  const ParameterMap map = MapOf(GetParam().kind, shape);
  const Constraint constraint = ConstraintOf(GetParam().kind);
  const Eigen::MatrixXd points = 3 * RandomPoints(map.unconstrained(), 50, 2);
  for (Eigen::Index n = 0; n < points.cols(); ++n) {
    const Eigen::VectorXd x = At(map, points.col(n)).x;
    Eigen::MatrixXd m;
    if (indices == 2) m = Eigen::Map<const Eigen::MatrixXd>(x.data(), 3, 3);
    const auto is_factor = [&] {
      return m(0, 1) == 0 && m(0, 2) == 0 && m(1, 2) == 0 && m.diagonal().minCoeff() > 0;
    };
    switch (GetParam().kind) {
      case Kind::kNone:
        EXPECT_EQ(x, points.col(n));
        break;
      case Kind::kLower:
        EXPECT_GT(x.minCoeff(), constraint.lower);
        break;
      case Kind::kUpper:
        EXPECT_LT(x.maxCoeff(), constraint.upper);
        break;
      case Kind::kInterval:
        EXPECT_GT(x.minCoeff(), constraint.lower);
        EXPECT_LT(x.maxCoeff(), constraint.upper);
        break;
      case Kind::kAffine:
        EXPECT_NEAR(x(1), 0.75 + 3 * points(1, n), 1e-14 * (1 + std::fabs(x(1))));
        break;
      case Kind::kPositiveOrdered:
        EXPECT_GT(x(0), 0);
        [[fallthrough]];
      case Kind::kOrdered:
        for (int k = 1; k < 4; ++k) EXPECT_GE(x(k), x(k - 1));
        break;
      case Kind::kSimplex:
        EXPECT_GT(x.minCoeff(), 0);
        EXPECT_NEAR(x.sum(), 1, 1e-14);
        break;
      case Kind::kSumToZero:
        EXPECT_NEAR(x.sum(), 0, 1e-14 * (1 + x.norm()));
        EXPECT_NEAR(x.norm(), points.col(n).norm(), 1e-13 * (1 + x.norm()));
        break;
      case Kind::kCholeskyFactorCov:
        EXPECT_TRUE(is_factor());
        break;
      case Kind::kCovMatrix:
        EXPECT_EQ(m, m.transpose());
        EXPECT_GT(SmallestEigenvalue(m), -1e-12 * m.norm());
        break;
      case Kind::kCholeskyFactorCorr:
        EXPECT_TRUE(is_factor());
        for (int i = 0; i < 3; ++i) EXPECT_NEAR(m.row(i).norm(), 1, 1e-14);
        break;
      case Kind::kCorrMatrix:
        EXPECT_EQ(m, m.transpose());
        EXPECT_EQ(m.diagonal(), Eigen::VectorXd::Ones(3));
        EXPECT_GT(SmallestEigenvalue(m), -1e-12);
        break;
    }
  }
}

TEST(TransformCentreTest, SimplexOfZerosIsUniform) {
  const Point point = At(MapOf(Kind::kSimplex, {5}), Eigen::VectorXd::Zero(4));
  EXPECT_LT((point.x.array() - 0.2).abs().maxCoeff(), 1e-15);
}

// What does not satisfy the constraint, of one element too few and at the bound itself.
TEST_P(TransformTest, WhatIsOutsideHasNoCoordinates) {
  const int indices = GetParam().indices;
  const std::vector<int64_t> shape =
      indices == 2 ? std::vector<int64_t>{2, 2} : std::vector<int64_t>{3};
  const ParameterMap map = MapOf(GetParam().kind, shape);
  const auto refused = [&](std::initializer_list<double> values, const std::string& why) {
    Eigen::MatrixXd x(values.size(), 1), y;
    std::copy(values.begin(), values.end(), x.data());
    const absl::Status status = map.Unconstrain(x, &y);
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << GetParam().name;
    EXPECT_THAT(std::string(status.message()), HasSubstr(why));
  };
  refused({1, 2, 3, 4, 5}, "x: points have 5 elements");
  switch (GetParam().kind) {
    case Kind::kNone:
    case Kind::kAffine:
      refused({0, kInfinity, 1}, "theta: point 1: element 2 is inf, not finite");
      break;
    case Kind::kLower:
      refused({0, -1, -1.5}, "element 3 is -1.5, not above -1.5");
      break;
    case Kind::kUpper:
      refused({0, 2.25, 1}, "element 2 is 2.25, not below 2.25");
      break;
    case Kind::kInterval:
      refused({0, 3, 1}, "element 2 is 3, not between -1.5 and 2.25");
      refused({-1.5, 1, 1}, "element 1 is -1.5");
      break;
    case Kind::kOrdered:
      refused({0, 3, 3}, "element 3 is 3, not above the one before, 3");
      refused({kInfinity, 3, 4}, "element 1 is inf, not finite");
      break;
    case Kind::kPositiveOrdered:
      refused({0, 3, 4}, "element 1 is 0, not positive");
      break;
    case Kind::kSimplex:
      refused({0.5, 0.25, 0.125}, "the sum is 0.875, not 1");
      refused({0.5, 0.5, 0}, "element 3 is 0");
      break;
    case Kind::kSumToZero:
      refused({0.5, 0.25, 0.25}, "the sum is 1, not 0");
      refused({0.5, kInfinity, 0.25}, "not 0");
      break;
    case Kind::kCholeskyFactorCov:
      refused({1, 2, 3, 1}, "row 1 column 2 is 3, not 0");
      refused({1, 2, 0, -1}, "row 2 column 2 is -1, not positive");
      refused({1, kInfinity, 0, 1}, "row 2 column 1 is inf, not finite");
      break;
    case Kind::kCovMatrix:
      refused({1, 0.5, 0.25, 1}, "is not symmetric");
      refused({1, 2, 2, 1}, "is not positive definite");
      refused({1, kInfinity, kInfinity, 1}, "is not finite");
      break;
    case Kind::kCholeskyFactorCorr:
      refused({1, 0.5, 0, 0.5}, "row 2 has norm");
      break;
    case Kind::kCorrMatrix:
      refused({1, 0.5, 0.5, 2}, "row 2 column 2 is 2, not 1");
      refused({1, 2, 2, 1}, "is not positive definite");
      break;
  }
}

}  // namespace
}  // namespace aisivi
