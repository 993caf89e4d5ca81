#include "server/status.h"

#include <optional>
#include <string>

#include "absl/strings/cord.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "google/protobuf/any.pb.h"
#include "google/rpc/error_details.pb.h"
#include "server/text.h"

namespace aisivi::server {
namespace {

constexpr char kTypePrefix[] = "type.googleapis.com/";
constexpr char kDomain[] = "aisivi";
// It travels twice, in the message and in the details, within 8 KB of trailers.
constexpr size_t kMaxDescription = 500;
// Of several errors together, in bytes; what is beyond is counted.
constexpr size_t kMaxViolations = 3000;
constexpr size_t kMaxMessage = 1000;

template <typename Detail>
void Attach(const Detail& detail, absl::Status* status) {
  status->SetPayload(absl::StrCat(kTypePrefix, Detail::descriptor()->full_name()),
                     absl::Cord(detail.SerializeAsString()));
}

std::optional<google::rpc::BadRequest> BadRequestOf(const absl::Status& status) {
  const auto payload = status.GetPayload(
      absl::StrCat(kTypePrefix, google::rpc::BadRequest::descriptor()->full_name()));
  google::rpc::BadRequest bad_request;
  if (!payload.has_value() || !bad_request.ParseFromString(std::string(*payload))) return {};
  return bad_request;
}

google::rpc::ErrorInfo Info(absl::string_view reason) {
  google::rpc::ErrorInfo info;
  info.set_reason(std::string(reason));
  info.set_domain(kDomain);
  return info;
}

// "NAME" of an engine message "NAME: text"; empty when it does not look like one.
absl::string_view LeadingField(absl::string_view message) {
  const size_t end = message.find_first_not_of(
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.[]");
  if (end == absl::string_view::npos || end == 0 || message.substr(end, 2) != ": ") return {};
  return message.substr(0, end);
}

absl::Status Exhausted(absl::string_view reason, absl::string_view message, int limit,
                       absl::Duration retry_delay) {
  absl::Status status = absl::ResourceExhaustedError(message);
  google::rpc::RetryInfo retry;
  retry.mutable_retry_delay()->set_seconds(absl::ToInt64Seconds(retry_delay));
  Attach(retry, &status);
  google::rpc::ErrorInfo info = Info(reason);
  (*info.mutable_metadata())["limit"] = absl::StrCat(limit);
  Attach(info, &status);
  return status;
}

}  // namespace

absl::Status FieldError(absl::string_view field, absl::string_view description) {
  return FieldsError({std::string(field)}, description);
}

absl::Status FieldsError(const std::vector<std::string>& fields, absl::string_view description) {
  const std::string text = Shortened(description, kMaxDescription);
  absl::Status status = absl::InvalidArgumentError(absl::StrCat(fields.front(), ": ", text));
  google::rpc::BadRequest bad_request;
  for (const std::string& field : fields) {
    auto* violation = bad_request.add_field_violations();
    violation->set_field(field);
    violation->set_description(text);
  }
  Attach(bad_request, &status);
  google::rpc::ErrorInfo info = Info("INVALID_FIELD");
  (*info.mutable_metadata())["field"] = fields.front();
  Attach(info, &status);
  return status;
}

absl::Status AllErrors(const std::vector<absl::Status>& statuses) {
  google::rpc::BadRequest all;
  absl::Status first;
  std::string message;
  int wrong_ones = 0, untold = 0;
  for (const absl::Status& status : statuses) {
    if (status.ok()) continue;
    const std::optional<google::rpc::BadRequest> wrong = BadRequestOf(status);
    if (status.code() != absl::StatusCode::kInvalidArgument || !wrong.has_value()) return status;
    ++wrong_ones;
    if (first.ok()) {
      first = status;
      message = std::string(status.message());
    } else if (message.size() + status.message().size() <= kMaxMessage) {
      absl::StrAppend(&message, "; ", std::string(status.message()));
    } else {
      ++untold;
    }
    for (const auto& violation : wrong->field_violations()) {
      if (all.ByteSizeLong() + violation.ByteSizeLong() > kMaxViolations) continue;
      *all.add_field_violations() = violation;
    }
  }
  if (wrong_ones <= 1) return first;
  if (untold > 0) absl::StrAppend(&message, " (and ", untold, " more)");
  absl::Status status = absl::InvalidArgumentError(message);
  first.ForEachPayload(
      [&](absl::string_view type, const absl::Cord& payload) { status.SetPayload(type, payload); });
  Attach(all, &status);
  return status;
}

absl::Status EtagMismatch(absl::string_view field, absl::string_view name) {
  absl::Status status =
      absl::AbortedError(absl::StrCat(field, ": ", name, " has changed since; read it again"));
  google::rpc::ErrorInfo info = Info("ETAG_MISMATCH");
  (*info.mutable_metadata())["field"] = std::string(field);
  (*info.mutable_metadata())["name"] = std::string(name);
  Attach(info, &status);
  return status;
}

absl::Status AtField(absl::string_view prefix, const absl::Status& error) {
  if (error.ok()) return error;
  const absl::string_view message = error.message();
  if (error.code() != absl::StatusCode::kInvalidArgument) {
    absl::Status status(error.code(), error.message());
    Attach(Info(absl::StatusCodeToString(error.code())), &status);
    return status;
  }
  const absl::string_view name = LeadingField(message);
  if (name.empty()) return FieldError(prefix, message);
  return FieldError(absl::StrCat(prefix, ".", name), message.substr(name.size() + 2));
}

absl::Status FitNotFound(absl::string_view name) {
  absl::Status status = absl::NotFoundError(absl::StrCat("name: there is no fit \"", name, "\""));
  google::rpc::ResourceInfo resource;
  resource.set_resource_type("aisivi.v1.Fit");
  resource.set_resource_name(std::string(name));
  Attach(resource, &status);
  Attach(Info("FIT_NOT_FOUND"), &status);
  return status;
}

absl::Status FitNotReady(absl::string_view reason, absl::string_view name,
                         absl::string_view description) {
  absl::Status status =
      absl::FailedPreconditionError(absl::StrCat("name: ", name, " ", description));
  google::rpc::ErrorInfo info = Info(reason);
  (*info.mutable_metadata())["field"] = "name";
  (*info.mutable_metadata())["name"] = std::string(name);
  Attach(info, &status);
  return status;
}

absl::Status NotAllowed(absl::string_view reason, absl::string_view field,
                        absl::string_view description) {
  absl::Status status = absl::FailedPreconditionError(absl::StrCat(field, ": ", description));
  google::rpc::ErrorInfo info = Info(reason);
  (*info.mutable_metadata())["field"] = std::string(field);
  Attach(info, &status);
  return status;
}

absl::Status QueueFull(int limit, absl::Duration retry_delay) {
  return Exhausted(
      "QUEUE_FULL",
      absl::StrCat("the queue is full (", limit, " fits are waiting); try again later"), limit,
      retry_delay);
}

absl::Status TooBusy(int limit, absl::Duration retry_delay) {
  return Exhausted(
      "TOO_BUSY",
      absl::StrCat("the server is busy with ", limit, " such requests already; try again later"),
      limit, retry_delay);
}

absl::Status ResourceNotFound(absl::string_view field, absl::string_view type,
                              absl::string_view reason, absl::string_view name,
                              absl::string_view description) {
  absl::Status status = absl::NotFoundError(absl::StrCat(field, ": ", description));
  google::rpc::ResourceInfo resource;
  resource.set_resource_type(std::string(type));
  resource.set_resource_name(std::string(name));
  Attach(resource, &status);
  google::rpc::ErrorInfo info = Info(reason);
  (*info.mutable_metadata())["field"] = std::string(field);
  Attach(info, &status);
  return status;
}

absl::Status DatasetNotFound(absl::string_view field, absl::string_view name) {
  return ResourceNotFound(field, "aisivi.v1.Dataset", "DATASET_NOT_FOUND", name,
                          absl::StrCat("there is no data set ", Quoted(name)));
}

absl::Status LimitExceeded(absl::string_view reason, absl::string_view field,
                           absl::string_view description, int64_t limit) {
  absl::Status status = absl::ResourceExhaustedError(absl::StrCat(field, ": ", description));
  google::rpc::ErrorInfo info = Info(reason);
  (*info.mutable_metadata())["field"] = std::string(field);
  (*info.mutable_metadata())["limit"] = absl::StrCat(limit);
  Attach(info, &status);
  return status;
}

absl::Status ShuttingDown(absl::string_view what_becomes) {
  absl::Status status =
      absl::UnavailableError(absl::StrCat("the server is shutting down", what_becomes));
  Attach(Info("SHUTTING_DOWN"), &status);
  return status;
}

google::rpc::Status ToRpcStatus(const absl::Status& status) {
  google::rpc::Status rpc;
  rpc.set_code(static_cast<int>(status.code()));
  rpc.set_message(std::string(status.message()));
  bool has_info = false;
  status.ForEachPayload([&](absl::string_view type_url, const absl::Cord& payload) {
    if (!absl::StartsWith(type_url, kTypePrefix)) return;
    google::protobuf::Any* any = rpc.add_details();
    any->set_type_url(std::string(type_url));
    any->set_value(std::string(payload));
    has_info |= absl::EndsWith(type_url, "google.rpc.ErrorInfo");
  });
  if (!has_info && !status.ok()) {
    rpc.add_details()->PackFrom(Info(absl::StatusCodeToString(status.code())));
  }
  return rpc;
}

grpc::Status ToGrpcStatus(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  return grpc::Status(static_cast<grpc::StatusCode>(status.code()), std::string(status.message()),
                      ToRpcStatus(status).SerializeAsString());
}

}  // namespace aisivi::server
