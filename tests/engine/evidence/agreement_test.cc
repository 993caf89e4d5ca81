#include "engine/evidence/agreement.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "tests/engine/model/testing.h"

namespace aisivi {
namespace {

using test::Normals;
using test::Random;
using Runs = std::vector<Eigen::MatrixXd>;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

Eigen::MatrixXd Row(std::initializer_list<double> values) {
  Eigen::MatrixXd row(1, static_cast<int64_t>(values.size()));
  std::copy(values.begin(), values.end(), row.data());
  return row;
}

// Means 1 and 5, variances 2: W = 2, B/N = 8, R̂ = √((½·2 + 8)/2).
TEST(RHatTest, RunsInDifferentPlaces) {
  EXPECT_NEAR(RHat({Row({0, 2}), Row({4, 6})}), std::sqrt(4.5), 1e-12);
}

// Both means are 0; |z| has means 1.5 and 3.5 and variances ⅓: R̂ = √((¾·⅓ + 2)/⅓).
TEST(RHatTest, RunsOfDifferentSpread) {
  EXPECT_NEAR(RHat({Row({-1, 1, -2, 2}), Row({-3, 3, -4, 4})}), std::sqrt(6.75), 1e-12);
}

// Means 0, 3, 3, variances 1: B/N = 3, R̂ = √(⅔ + 3).
TEST(RHatTest, OneOfThreeRunsApart) {
  EXPECT_NEAR(RHat({Row({-1, 0, 1}), Row({2, 3, 4}), Row({2, 3, 4})}), std::sqrt(2.0 / 3 + 3),
              1e-12);
}

TEST(RHatTest, TheWorstCoordinateCounts) {
  Eigen::MatrixXd a(2, 2), b(2, 2);
  a << 0, 2, 7, 8;
  b << 4, 6, 7, 8;
  EXPECT_NEAR(RHat({a, b}), std::sqrt(4.5), 1e-12);
  EXPECT_NEAR(RHat({a.colwise().reverse(), b.colwise().reverse()}), std::sqrt(4.5), 1e-12);
}

TEST(RHatTest, UnitsDoNotMatter) {
  Random random(1);
  const Eigen::MatrixXd a = Normals(3, 500, 1, random), b = Normals(3, 500, 1.3, random);
  const Eigen::Array3d scale(1e-6, 3, 1e5), shift(7, -2, 1e3);
  const auto moved = [&](const Eigen::MatrixXd& x) -> Eigen::MatrixXd {
    return (x.array().colwise() * scale).colwise() + shift;
  };
  EXPECT_NEAR(RHat({moved(a), moved(b)}), RHat({a, b}), 1e-6);
}

TEST(RHatTest, RunsThatAgreeAreNearOneAndAShiftIsSeen) {
  Random random(2);
  constexpr int64_t kCount = 20000;
  const Eigen::MatrixXd a = Normals(2, kCount, 1, random), b = Normals(2, kCount, 1, random);
  EXPECT_NEAR(RHat({a, b}), 1, 1e-3);
  Eigen::MatrixXd shifted = b;
  shifted.row(1).array() += 0.2;
  // Run means ±0.1 apart: v = 0.02.
  EXPECT_NEAR(RHat({a, shifted}), std::sqrt(1.02), 3e-3);
}

TEST(RHatTest, TheShortestRunSetsTheLength) {
  EXPECT_EQ(RHat({Row({0, 2}), Row({4, 6, 1000})}), RHat({Row({0, 2}), Row({4, 6})}));
}

TEST(RHatTest, ConstantCoordinates) {
  EXPECT_EQ(RHat({Row({1, 1}), Row({1, 1})}), 1);
  EXPECT_EQ(RHat({Row({1, 1}), Row({2, 2})}), std::numeric_limits<double>::infinity());
}

TEST(RHatTest, UnknownWhereThereIsNothingToCompare) {
  EXPECT_TRUE(std::isnan(RHat({})));
  EXPECT_TRUE(std::isnan(RHat({Row({1, 2, 3})})));
  EXPECT_TRUE(std::isnan(RHat({Row({1}), Row({2})})));
  EXPECT_TRUE(std::isnan(RHat({Row({1, 2}), Row({1, kNan})})));
  EXPECT_TRUE(std::isnan(RHat(Runs{Row({1, 2}), Eigen::MatrixXd::Zero(2, 2)})));
}

}  // namespace
}  // namespace aisivi
