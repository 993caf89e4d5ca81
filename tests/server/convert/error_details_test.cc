// The messages of google.rpc are the published ones, whole: a program that knows the originals
// (those of googleapis-common-protos for Python, of genproto for Go) reads and writes the same
// bytes.
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "google/protobuf/descriptor.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "gtest/gtest.h"

namespace aisivi::server {
namespace {

using google::protobuf::FieldDescriptor;
using ::testing::ElementsAre;
using ::testing::ElementsAreArray;

void Describe(const google::protobuf::Descriptor* message, std::vector<std::string>* lines) {
  for (int i = 0; i < message->field_count(); ++i) {
    const FieldDescriptor* field = message->field(i);
    std::string type = field->type_name();
    if (field->message_type() != nullptr) type = std::string(field->message_type()->full_name());
    if (field->is_map()) type = "map";
    lines->push_back(absl::StrCat(message->full_name(), ".", field->name(), " = ", field->number(),
                                  " ", field->is_repeated() && !field->is_map() ? "repeated " : "",
                                  field->has_optional_keyword() ? "optional " : "", type));
  }
  for (int i = 0; i < message->nested_type_count(); ++i) {
    if (!message->nested_type(i)->options().map_entry()) Describe(message->nested_type(i), lines);
  }
}

std::vector<std::string> DescribeFile(const google::protobuf::FileDescriptor* file) {
  std::vector<std::string> lines;
  for (int i = 0; i < file->message_type_count(); ++i) Describe(file->message_type(i), &lines);
  return lines;
}

// https://github.com/googleapis/googleapis/blob/master/google/rpc/error_details.proto
TEST(ErrorDetailsTest, AreThePublishedMessages) {
  const google::protobuf::FileDescriptor* file = google::rpc::ErrorInfo::descriptor()->file();
  EXPECT_EQ(file->name(), "google/rpc/error_details.proto");
  EXPECT_EQ(file->options().go_package(),
            "google.golang.org/genproto/googleapis/rpc/errdetails;errdetails");
  EXPECT_EQ(file->options().java_package(), "com.google.rpc");
  const char* expected[] = {
      "google.rpc.ErrorInfo.reason = 1 string",
      "google.rpc.ErrorInfo.domain = 2 string",
      "google.rpc.ErrorInfo.metadata = 3 map",
      "google.rpc.RetryInfo.retry_delay = 1 google.protobuf.Duration",
      "google.rpc.DebugInfo.stack_entries = 1 repeated string",
      "google.rpc.DebugInfo.detail = 2 string",
      "google.rpc.QuotaFailure.violations = 1 repeated google.rpc.QuotaFailure.Violation",
      "google.rpc.QuotaFailure.Violation.subject = 1 string",
      "google.rpc.QuotaFailure.Violation.description = 2 string",
      "google.rpc.QuotaFailure.Violation.api_service = 3 string",
      "google.rpc.QuotaFailure.Violation.quota_metric = 4 string",
      "google.rpc.QuotaFailure.Violation.quota_id = 5 string",
      "google.rpc.QuotaFailure.Violation.quota_dimensions = 6 map",
      "google.rpc.QuotaFailure.Violation.quota_value = 7 int64",
      "google.rpc.QuotaFailure.Violation.future_quota_value = 8 optional int64",
      "google.rpc.PreconditionFailure.violations = 1 repeated "
      "google.rpc.PreconditionFailure.Violation",
      "google.rpc.PreconditionFailure.Violation.type = 1 string",
      "google.rpc.PreconditionFailure.Violation.subject = 2 string",
      "google.rpc.PreconditionFailure.Violation.description = 3 string",
      "google.rpc.BadRequest.field_violations = 1 repeated google.rpc.BadRequest.FieldViolation",
      "google.rpc.BadRequest.FieldViolation.field = 1 string",
      "google.rpc.BadRequest.FieldViolation.description = 2 string",
      "google.rpc.BadRequest.FieldViolation.reason = 3 string",
      "google.rpc.BadRequest.FieldViolation.localized_message = 4 google.rpc.LocalizedMessage",
      "google.rpc.RequestInfo.request_id = 1 string",
      "google.rpc.RequestInfo.serving_data = 2 string",
      "google.rpc.ResourceInfo.resource_type = 1 string",
      "google.rpc.ResourceInfo.resource_name = 2 string",
      "google.rpc.ResourceInfo.owner = 3 string",
      "google.rpc.ResourceInfo.description = 4 string",
      "google.rpc.Help.links = 1 repeated google.rpc.Help.Link",
      "google.rpc.Help.Link.description = 1 string",
      "google.rpc.Help.Link.url = 2 string",
      "google.rpc.LocalizedMessage.locale = 1 string",
      "google.rpc.LocalizedMessage.message = 2 string",
  };
  EXPECT_THAT(DescribeFile(file), ElementsAreArray(expected));
}

// https://github.com/googleapis/googleapis/blob/master/google/rpc/status.proto
TEST(ErrorDetailsTest, StatusIsThePublishedMessage) {
  const google::protobuf::FileDescriptor* file = google::rpc::Status::descriptor()->file();
  EXPECT_EQ(file->name(), "google/rpc/status.proto");
  EXPECT_EQ(file->options().go_package(),
            "google.golang.org/genproto/googleapis/rpc/status;status");
  EXPECT_THAT(
      DescribeFile(file),
      ElementsAre("google.rpc.Status.code = 1 int32", "google.rpc.Status.message = 2 string",
                  "google.rpc.Status.details = 3 repeated google.protobuf.Any"));
}

}  // namespace
}  // namespace aisivi::server
