#include "server/convert/duration.h"

#include "gtest/gtest.h"

namespace aisivi::server {
namespace {

TEST(DurationTest, SecondsGoThereAndBack) {
  for (const double seconds :
       {0.0, 1.0, 2.5, 0.000000001, 1e7, -1.25, -0.5, 0.1, 86399.999999999}) {
    const google::protobuf::Duration duration = ToDuration(seconds);
    EXPECT_GE(duration.seconds() * static_cast<double>(duration.nanos()), 0) << seconds;
    EXPECT_NEAR(*ToSeconds(duration), seconds, 1e-9 * std::max(1.0, std::abs(seconds)));
  }
}

TEST(DurationTest, NanosNeverFillASecond) {
  const google::protobuf::Duration duration = ToDuration(2.9999999999);
  EXPECT_EQ(duration.seconds(), 3);
  EXPECT_EQ(duration.nanos(), 0);
}

TEST(DurationTest, IllFormedOnesAreRefused) {
  const auto status = [](int64_t seconds, int32_t nanos) {
    google::protobuf::Duration duration;
    duration.set_seconds(seconds);
    duration.set_nanos(nanos);
    return ToSeconds(duration).status().code();
  };
  EXPECT_EQ(status(0, 1'000'000'000), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(status(0, -1'000'000'000), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(status(1, -1), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(status(-1, 1), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(status(-1, -1), absl::StatusCode::kOk);
}

}  // namespace
}  // namespace aisivi::server
