// The shipped data files: a header, the response first, an intercept, standardised features; and
// logistic_regression takes them.
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/targets/registry.h"
#include "tests/csv.h"

namespace aisivi {
namespace {

test::Table Read(const std::string& file) {
  absl::StatusOr<test::Table> table = test::ReadCsv(absl::StrCat(AISIVI_EXAMPLE_DATA, "/", file));
  EXPECT_TRUE(table.ok()) << table.status();
  return table.ok() ? *std::move(table) : test::Table();
}

void ExpectFitForLogisticRegression(const Eigen::MatrixXd& rows) {
  const Eigen::Index n = rows.rows(), features = rows.cols() - 2;
  EXPECT_TRUE((rows.col(1).array() == 1).all());
  for (Eigen::Index f = 0; f < features; ++f) {
    EXPECT_NEAR(rows.col(2 + f).mean(), 0, 1e-6);
    EXPECT_NEAR(rows.col(2 + f).squaredNorm() / static_cast<double>(n), 1, 1e-5);
  }
  const auto target = MakeTarget(
      "logistic_regression",
      {{"y", Eigen::VectorXd(rows.col(0))}, {"x", Eigen::MatrixXd(rows.rightCols(1 + features))}});
  ASSERT_TRUE(target.ok()) << target.status();
  Eigen::VectorXd log_density;
  ASSERT_TRUE(
      (*target)->Evaluate(Eigen::MatrixXd::Zero(features + 1, 1), &log_density, nullptr).ok());
  // At β = 0 every response has probability ½; the prior adds its constant.
  const double prior =
      0.5 * static_cast<double>(features + 1) * std::log(0.01 / 2 / std::acos(-1.0));
  EXPECT_NEAR(log_density(0), prior - static_cast<double>(n) * std::log(2.0), 1e-9);
}

TEST(DataTest, Waveform) {
  const test::Table table = Read("waveform.csv");
  EXPECT_EQ(table.header.rfind("y,x0,x1,x2,", 0), 0u);
  ASSERT_EQ(table.rows.rows(), 400);
  ASSERT_EQ(table.rows.cols(), 23);
  EXPECT_NEAR(table.rows.col(0).sum(), 200, 40);
  ExpectFitForLogisticRegression(table.rows);
  // Class 1 peaks in the early features, class 0 in the late ones.
  EXPECT_GT(table.rows.col(0).dot(table.rows.col(1 + 7)), 50);
  EXPECT_LT(table.rows.col(0).dot(table.rows.col(1 + 15)), -50);
}

TEST(DataTest, Challenger) {
  const test::Table table = Read("challenger.csv");
  EXPECT_EQ(table.header, "y,x0,temperature");
  ASSERT_EQ(table.rows.rows(), 23);
  ASSERT_EQ(table.rows.cols(), 3);
  EXPECT_EQ(table.rows.col(0).sum(), 7);
  ExpectFitForLogisticRegression(table.rows);
  // Undoing the standardisation gives whole degrees, from 53 °F (damage) to 81 °F (none).
  const Eigen::VectorXd degrees = (69.565217391304 + 6.901959941908 * table.rows.col(2).array());
  for (double degree : degrees) EXPECT_NEAR(degree, std::round(degree), 1e-4);
  Eigen::Index coldest = 0, warmest = 0;
  EXPECT_NEAR(degrees.minCoeff(&coldest), 53, 1e-4);
  EXPECT_NEAR(degrees.maxCoeff(&warmest), 81, 1e-4);
  EXPECT_EQ(table.rows(coldest, 0), 1);
  EXPECT_EQ(table.rows(warmest, 0), 0);
}

}  // namespace
}  // namespace aisivi
