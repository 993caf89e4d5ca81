#include "client/status.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"

namespace aisivi {
namespace {

TEST(Status, OkStaysOk) { EXPECT_TRUE(FromGrpcStatus(grpc::Status::OK).ok()); }

TEST(Status, KeepsCodeMessageAndDetails) {
  google::rpc::BadRequest bad_request;
  auto* violation = bad_request.add_field_violations();
  violation->set_field("fit.target.gaussian.mean");
  violation->set_description("must be finite");
  google::rpc::ErrorInfo info;
  info.set_reason("INVALID_FIELD");
  google::rpc::RetryInfo retry;
  retry.mutable_retry_delay()->set_seconds(1);
  retry.mutable_retry_delay()->set_nanos(500000000);
  google::rpc::Status details;
  details.add_details()->PackFrom(bad_request);
  details.add_details()->PackFrom(info);
  details.add_details()->PackFrom(retry);

  const absl::Status status = FromGrpcStatus(
      grpc::Status(grpc::StatusCode::INVALID_ARGUMENT, "a message", details.SerializeAsString()));

  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(status.message(), "a message");
  const std::vector<FieldViolation> violations = FieldViolations(status);
  ASSERT_EQ(violations.size(), 1u);
  EXPECT_EQ(violations[0].field, "fit.target.gaussian.mean");
  EXPECT_EQ(violations[0].description, "must be finite");
  EXPECT_EQ(ErrorReason(status), "INVALID_FIELD");
  EXPECT_EQ(RetryDelay(status), absl::Milliseconds(1500));
}

TEST(Status, WithoutDetailsThereIsNothingToRead) {
  const absl::Status status =
      FromGrpcStatus(grpc::Status(grpc::StatusCode::NOT_FOUND, "no such fit", "not a message"));
  EXPECT_TRUE(absl::IsNotFound(status));
  EXPECT_TRUE(FieldViolations(status).empty());
  EXPECT_EQ(ErrorReason(status), "");
  EXPECT_FALSE(RetryDelay(status).has_value());
}

}  // namespace
}  // namespace aisivi
