#include "server/remote/batch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <string>

#include "tests/server/remote/testing.h"

namespace aisivi::server {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(BatchTest, BothMessagesStayBelowTwoMegabytes) {
  for (const int64_t values : {1, 3, 100, 4096, 100'000}) {
    const int64_t points = PointsPerBatch(values);
    EXPECT_GE(points, 1);
    const auto batch = MakeBatch(1, Eigen::MatrixXd::Zero(values, points), true, false);
    EXPECT_LT(batch->message->ByteSizeLong(), 2'000'000) << values;
    v1::ServeDensityRequest request;
    request.mutable_answer()->set_log_density(std::string(8 * points, 'x'));
    request.mutable_answer()->set_score(std::string(8 * points * values, 'x'));
    EXPECT_LT(request.ByteSizeLong(), 2'000'000) << values;
  }
}

TEST(BatchTest, NumbersGoAndComeBackPointAfterPoint) {
  Eigen::MatrixXd x(3, 2);
  x << 1, 4, 2, 5, 3, 6;
  const auto batch = MakeBatch(7, x, true, true);
  EXPECT_EQ(batch->message->batch().values(), test::Bytes({1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(batch->message->batch().points(), 2);
  EXPECT_TRUE(batch->message->batch().check());
  batch->answer = test::AnswerOf(batch->message->batch());
  ASSERT_TRUE(CheckAnswer(*batch, batch->answer).ok());
  Eigen::VectorXd log_density(2);
  Eigen::MatrixXd score(3, 2);
  ReadAnswer(*batch, log_density, &score);
  EXPECT_EQ(score(1, 0), -2);
  EXPECT_EQ(score(0, 1), -4);
}

TEST(BatchTest, WrongShapesAreNamedWithWhatWasExpected) {
  const auto scored = MakeBatch(1, Eigen::MatrixXd::Zero(3, 4), true, false);
  const auto plain = MakeBatch(2, Eigen::MatrixXd::Zero(3, 4), false, false);
  v1::BatchAnswer answer;
  const auto message = [](const Batch& batch, const v1::BatchAnswer& given) {
    const absl::Status status = CheckAnswer(batch, given);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    return std::string(status.message());
  };
  EXPECT_EQ(message(*scored, answer),
            "answer.log_density: has 0 bytes; 4 points of float64 are 32");
  answer.set_log_density(std::string(16, 'x'));
  EXPECT_THAT(message(*scored, answer), HasSubstr("jax_enable_x64"));
  answer.set_log_density(std::string(40, 'x'));
  EXPECT_THAT(message(*scored, answer), Not(HasSubstr("float32")));
  answer.set_log_density(std::string(32, 'x'));
  EXPECT_EQ(message(*scored, answer),
            "answer.score: has 0 bytes; 4 x 3 derivatives of float64 are 96");
  answer.set_score(std::string(48, 'x'));
  EXPECT_THAT(message(*scored, answer), HasSubstr("float32"));
  EXPECT_THAT(message(*plain, answer), HasSubstr("answer.score: has 48 bytes"));
  answer.set_score(std::string(96, 'x'));
  EXPECT_TRUE(CheckAnswer(*scored, answer).ok());
  // What cannot be evaluated has no numbers.
  answer.Clear();
  answer.set_error("no");
  EXPECT_TRUE(CheckAnswer(*scored, answer).ok());
}

}  // namespace
}  // namespace aisivi::server
