#include "server/remote/opening_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <string>

#include "server/remote/offer.h"
#include "tests/server/remote/testing.h"

namespace aisivi::server {
namespace {

using testing::HasSubstr;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

// V×N points to N log densities and V×N scores.
using Function =
    std::function<void(const Eigen::MatrixXd& x, Eigen::VectorXd* log_density, Eigen::MatrixXd*)>;

std::string Bytes(const double* numbers, int64_t count) {
  return test::Bytes(std::vector<double>(numbers, numbers + count));
}

absl::Status Check(const v1::DensityOffer& message, const Function& function,
                   bool differences = true) {
  const absl::StatusOr<Offer> offer = ReadOffer(message);
  EXPECT_TRUE(offer.ok()) << offer.status();
  OpeningCheck check(offer->density, differences);
  for (size_t i = 0; i < check.batches(); ++i) {
    const Eigen::MatrixXd& x = check.points(i);
    Eigen::VectorXd log_density(x.cols());
    Eigen::MatrixXd score = Eigen::MatrixXd::Zero(x.rows(), x.cols());
    function(x, &log_density, &score);
    const auto batch = MakeBatch(1, x, check.score(i), true);
    batch->answer.set_log_density(Bytes(log_density.data(), log_density.size()));
    if (check.score(i)) batch->answer.set_score(Bytes(score.data(), score.size()));
    EXPECT_TRUE(CheckAnswer(*batch, batch->answer).ok());
    check.Take(i, *batch);
  }
  return check.Result();
}

void Right(const Eigen::MatrixXd& x, Eigen::VectorXd* log_density, Eigen::MatrixXd* score) {
  *log_density = -0.5 * (x.row(0).array().square() + x.row(1).array().square()) - x.row(2).array();
  *score = -x;
  score->row(2).setConstant(-1);
}

TEST(OpeningCheckTest, LetsARightDensityPass) {
  EXPECT_TRUE(Check(test::Offer(), Right).ok()) << Check(test::Offer(), Right);
  EXPECT_TRUE(Check(test::Offer(), Right, /*differences=*/false).ok());
}

TEST(OpeningCheckTest, NamesTheElementWhoseScoreIsWrong) {
  const auto wrong = [](const auto& x, auto* log_density, auto* score) {
    Right(x, log_density, score);
    score->row(1) *= -1;
  };
  const absl::Status status = Check(test::Offer(), wrong);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("answer.score: at theta[2]"));
  EXPECT_TRUE(Check(test::Offer(), wrong, /*differences=*/false).ok());
}

// A Jacobian that the density has already would count twice.
TEST(OpeningCheckTest, ScoresAreThoseOfTheConstrainedScale) {
  const absl::Status status = Check(test::Offer(), [](const auto& x, auto* p, auto* score) {
    Right(x, p, score);
    score->row(2).array() *= x.row(2).array();  // by log tau
  });
  EXPECT_THAT(std::string(status.message()), HasSubstr("at tau"));
}

TEST(OpeningCheckTest, PointsMustBeEvaluatedForThemselves) {
  absl::Status status = Check(test::Offer(), [](const auto& x, auto* p, auto* score) {
    Right(x, p, score);
    p->setConstant(p->sum());  // summed over the batch
  });
  EXPECT_THAT(std::string(status.message()), HasSubstr("answer.log_density: of point 1"));
  status = Check(test::Offer(), [](const auto& x, auto* p, auto* score) {
    Right(x, p, score);
    *score /= static_cast<double>(x.cols());  // of the mean
  });
  EXPECT_THAT(std::string(status.message()), HasSubstr("answer.score: of point 1 at theta[1]"));
}

TEST(OpeningCheckTest, WhatIsNotFiniteIsPassedOver) {
  EXPECT_TRUE(Check(test::Offer(), [](const auto& x, auto* p, auto* score) {
                Right(x, p, score);
                for (int64_t j = 0; j < x.cols(); ++j) {
                  if (x(0, j) > 0) (*p)[j] = x(1, j) > 0 ? kNan : -INFINITY;
                }
              }).ok());
  const absl::Status status = Check(test::Offer(), [](const auto& x, auto* p, auto* score) {
    Right(x, p, score);
    score->row(0).setConstant(kNan);
  });
  EXPECT_THAT(std::string(status.message()), HasSubstr("answer.score: at theta[1] is nan"));
}

TEST(OpeningCheckTest, SinglePrecisionInsideIsHintedAt) {
  const absl::Status status = Check(test::Offer(), [](const auto& x, auto* p, auto* score) {
    Right(x, p, score);
    *p = (p->array() + 1000).template cast<float>().template cast<double>();
  });
  EXPECT_THAT(std::string(status.message()), HasSubstr("jax_enable_x64"));
}

TEST(OpeningCheckTest, ManyCoordinatesAreCheckedInOneBatch) {
  v1::DensityOffer message;
  message.add_parameters()->set_name("x");
  message.mutable_parameters(0)->add_shape(4096);
  const auto normal = [](const auto& x, auto* p, auto* score) {
    *p = -0.5 * x.colwise().squaredNorm();
    *score = -x;
  };
  EXPECT_TRUE(Check(message, normal).ok());
  const absl::Status status = Check(message, [&](const auto& x, auto* p, auto* score) {
    normal(x, p, score);
    score->topRows(200) *= 2;
  });
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace aisivi::server
