#include "server/status.h"

#include <map>
#include <string>

#include "absl/strings/match.h"
#include "google/rpc/error_details.pb.h"
#include "gtest/gtest.h"

namespace aisivi::server {
namespace {

template <typename Detail>
Detail FindDetail(const grpc::Status& status) {
  google::rpc::Status rpc;
  EXPECT_TRUE(rpc.ParseFromString(status.error_details()));
  EXPECT_EQ(rpc.code(), status.error_code());
  EXPECT_EQ(rpc.message(), status.error_message());
  Detail detail;
  int found = 0;
  for (const auto& any : rpc.details()) found += any.UnpackTo(&detail);
  EXPECT_EQ(found, 1);
  return detail;
}

TEST(StatusTest, FieldErrorCarriesTheViolation) {
  const grpc::Status status = ToGrpcStatus(FieldError("fit.target", "is required"));
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(status.error_message(), "fit.target: is required");
  const auto bad_request = FindDetail<google::rpc::BadRequest>(status);
  ASSERT_EQ(bad_request.field_violations_size(), 1);
  EXPECT_EQ(bad_request.field_violations(0).field(), "fit.target");
  EXPECT_EQ(bad_request.field_violations(0).description(), "is required");
  const auto info = FindDetail<google::rpc::ErrorInfo>(status);
  EXPECT_EQ(info.reason(), "INVALID_FIELD");
  EXPECT_EQ(info.domain(), "aisivi");
}

TEST(StatusTest, EngineErrorsAreLaidAtTheirField) {
  const auto message = [](const absl::Status& error) {
    return std::string(AtField("fit.schedule", error).message());
  };
  EXPECT_EQ(message(absl::InvalidArgumentError("points: 0 is not in [1, 9]")),
            "fit.schedule.points: 0 is not in [1, 9]");
  EXPECT_EQ(message(absl::InvalidArgumentError("covariances[2]: not symmetric")),
            "fit.schedule.covariances[2]: not symmetric");
  EXPECT_EQ(message(absl::InvalidArgumentError("no field here")), "fit.schedule: no field here");
  const absl::Status other = AtField("fit", absl::InternalError("points: what"));
  EXPECT_EQ(other.code(), absl::StatusCode::kInternal);
  EXPECT_TRUE(AtField("fit", absl::OkStatus()).ok());
}

TEST(StatusTest, AllErrorsAreToldAtOnce) {
  EXPECT_TRUE(AllErrors({}).ok());
  EXPECT_TRUE(AllErrors({absl::OkStatus(), absl::OkStatus()}).ok());
  const absl::Status one = FieldError("a", "is wrong");
  EXPECT_EQ(AllErrors({absl::OkStatus(), one}), one);
  const absl::Status both = AllErrors({one, absl::OkStatus(), FieldsError({"b", "c"}, "are too")});
  EXPECT_EQ(both.message(), "a: is wrong; b: are too");
  const grpc::Status status = ToGrpcStatus(both);
  const auto bad_request = FindDetail<google::rpc::BadRequest>(status);
  ASSERT_EQ(bad_request.field_violations_size(), 3);
  EXPECT_EQ(bad_request.field_violations(2).field(), "c");
  EXPECT_EQ(FindDetail<google::rpc::ErrorInfo>(status).reason(), "INVALID_FIELD");
  EXPECT_EQ(AllErrors({one, absl::NotFoundError("x")}).code(), absl::StatusCode::kNotFound);
}

// However many there are, they fit in the 8 KB of trailers that clients accept.
TEST(StatusTest, SomeOfVeryManyErrorsAreToldAndAllAreCounted) {
  const std::vector<absl::Status> many(1000, FieldError("field", std::string(400, 'x')));
  const absl::Status all = AllErrors(many);
  EXPECT_LT(ToGrpcStatus(all).error_details().size(), 5000u);
  EXPECT_TRUE(absl::EndsWith(all.message(), "(and 998 more)")) << all.message();
  EXPECT_LT(all.message().size(), 1100u);
}

TEST(StatusTest, FullQueueSaysWhenToRetry) {
  const grpc::Status status = ToGrpcStatus(QueueFull(64, absl::Seconds(10)));
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(FindDetail<google::rpc::RetryInfo>(status).retry_delay().seconds(), 10);
  EXPECT_EQ(FindDetail<google::rpc::ErrorInfo>(status).reason(), "QUEUE_FULL");
}

TEST(StatusTest, EveryErrorHasAnErrorInfo) {
  const grpc::Status status = ToGrpcStatus(absl::DataLossError("damaged"));
  EXPECT_EQ(status.error_code(), grpc::StatusCode::DATA_LOSS);
  EXPECT_EQ(FindDetail<google::rpc::ErrorInfo>(status).reason(), "DATA_LOSS");
  EXPECT_TRUE(ToGrpcStatus(absl::OkStatus()).ok());
  EXPECT_EQ(
      FindDetail<google::rpc::ResourceInfo>(ToGrpcStatus(FitNotFound("fits/a"))).resource_name(),
      "fits/a");
}

}  // namespace
}  // namespace aisivi::server
