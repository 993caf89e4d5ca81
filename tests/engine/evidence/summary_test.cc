#include "engine/evidence/summary.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>

namespace aisivi {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

Eigen::MatrixXd SmallDraws() {
  Eigen::MatrixXd draws(2, 4);
  draws << 4, 1, 3, 2,  //
      10, 40, 20, 30;
  return draws;
}

TEST(SummaryTest, MeanSdAndType7Quantiles) {
  const auto summary = Summarize(SmallDraws(), {0, 0.1, 0.5, 1}, false);
  ASSERT_TRUE(summary.ok()) << summary.status();
  EXPECT_DOUBLE_EQ(summary->mean[0], 2.5);
  EXPECT_DOUBLE_EQ(summary->mean[1], 25);
  EXPECT_NEAR(summary->sd[0], std::sqrt(5.0 / 3), 1e-14);
  EXPECT_NEAR(summary->sd[1], 10 * std::sqrt(5.0 / 3), 1e-13);
  ASSERT_EQ(summary->quantiles.cols(), 4);
  EXPECT_DOUBLE_EQ(summary->quantiles(0, 0), 1);
  EXPECT_NEAR(summary->quantiles(0, 1), 1.3, 1e-14);
  EXPECT_DOUBLE_EQ(summary->quantiles(0, 2), 2.5);
  EXPECT_DOUBLE_EQ(summary->quantiles(1, 3), 40);
  EXPECT_EQ(summary->covariance.size(), 0);
}

TEST(SummaryTest, CovarianceOnlyWhenAsked) {
  const auto summary = Summarize(SmallDraws(), {}, true);
  ASSERT_TRUE(summary.ok()) << summary.status();
  EXPECT_EQ(summary->quantiles.cols(), 0);
  ASSERT_EQ(summary->covariance.rows(), 2);
  EXPECT_NEAR(summary->covariance(0, 0), 5.0 / 3, 1e-14);
  // Deviations (1.5, −1.5, 0.5, −0.5) against (−15, 15, −5, 5): −50 / 3.
  EXPECT_NEAR(summary->covariance(0, 1), -50.0 / 3, 1e-13);
  EXPECT_EQ(summary->covariance(0, 1), summary->covariance(1, 0));
}

TEST(SummaryTest, SmallSpreadFarFromZeroKeepsItsDigits) {
  Eigen::MatrixXd draws(1, 3);
  draws << 1e9, 1e9 + 1, 1e9 + 2;
  const auto summary = Summarize(draws, {0.5}, false);
  ASSERT_TRUE(summary.ok());
  EXPECT_DOUBLE_EQ(summary->sd[0], 1);
}

TEST(SummaryTest, BadInputNamesTheField) {
  const auto few = Summarize(SmallDraws().leftCols(1), {0.5}, false);
  EXPECT_EQ(few.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(few.status().message()), StartsWith("draws: "));
  for (double bad : {-0.1, 1.5, std::numeric_limits<double>::quiet_NaN()}) {
    const auto summary = Summarize(SmallDraws(), {0.5, bad}, false);
    EXPECT_EQ(summary.status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(summary.status().message()), StartsWith("probabilities: "));
    EXPECT_THAT(std::string(summary.status().message()), HasSubstr("entry 1"));
  }
  Eigen::MatrixXd draws = SmallDraws();
  draws(1, 2) = std::numeric_limits<double>::infinity();
  EXPECT_THAT(std::string(Summarize(draws, {}, false).status().message()), StartsWith("draws: "));
  EXPECT_FALSE(Summarize(Eigen::MatrixXd(0, 5), {}, false).ok());
}

}  // namespace
}  // namespace aisivi
