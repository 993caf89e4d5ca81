// Errors of the service: how they are made, and their one conversion to gRPC.
//
// Inside the server an error is an absl::Status whose payloads are the google.rpc detail messages,
// keyed by their type URL. The message of an INVALID_ARGUMENT reads "FIELD: what is wrong", where
// FIELD is the path in the request; the same path stands in the BadRequest detail.
#pragma once

#include <grpcpp/support/status.h>

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "google/rpc/status.pb.h"

namespace aisivi::server {

// INVALID_ARGUMENT for the request's `field`, reason INVALID_FIELD. What is longer than a trailer
// can carry is cut: quote texts of the client by Quoted() (server/text.h).
absl::Status FieldError(absl::string_view field, absl::string_view description);

// INVALID_ARGUMENT for several fields that are wrong together, one violation each; the message and
// the reason's metadata name the first.
absl::Status FieldsError(const std::vector<std::string>& fields, absl::string_view description);

// One status for several, some of which may be OK: OK when all are; the first that is not
// INVALID_ARGUMENT; else INVALID_ARGUMENT with the messages and the violations of all, as many as a
// trailer can carry; the message says how many more there are.
absl::Status AllErrors(const std::vector<absl::Status>& statuses);

// ABORTED, reason ETAG_MISMATCH: the resource `name` has changed since the client saw it.
absl::Status EtagMismatch(absl::string_view field, absl::string_view name);

// An engine error "NAME: text" (INVALID_ARGUMENT) becomes FieldError(PREFIX.NAME, text); an error
// that names no field is laid at `prefix`. Other codes keep code and message and get an ErrorInfo.
absl::Status AtField(absl::string_view prefix, const absl::Status& error);

// NOT_FOUND, reason FIT_NOT_FOUND, with ResourceInfo.
absl::Status FitNotFound(absl::string_view name);

// FAILED_PRECONDITION on the fit that the request's field `name` names.
absl::Status FitNotReady(absl::string_view reason, absl::string_view name,
                         absl::string_view description);

// FAILED_PRECONDITION for the request's `field`.
absl::Status NotAllowed(absl::string_view reason, absl::string_view field,
                        absl::string_view description);

// RESOURCE_EXHAUSTED, reason QUEUE_FULL, with RetryInfo.
absl::Status QueueFull(int limit, absl::Duration retry_delay);

// RESOURCE_EXHAUSTED, reason TOO_BUSY, with RetryInfo: `limit` requests of the kind wait or
// compute.
absl::Status TooBusy(int limit, absl::Duration retry_delay);

// NOT_FOUND for the request's `field`, reason DATASET_NOT_FOUND, with ResourceInfo.
absl::Status DatasetNotFound(absl::string_view field, absl::string_view name);

// NOT_FOUND for the request's `field`, with that reason and ResourceInfo of the resource `name`.
absl::Status ResourceNotFound(absl::string_view field, absl::string_view type,
                              absl::string_view reason, absl::string_view name,
                              absl::string_view description);

// RESOURCE_EXHAUSTED for the request's `field`: more than the server allows.
absl::Status LimitExceeded(absl::string_view reason, absl::string_view field,
                           absl::string_view description, int64_t limit);

// UNAVAILABLE, reason SHUTTING_DOWN. `what_becomes` of what was asked for may be empty.
absl::Status ShuttingDown(absl::string_view what_becomes = "");

// The google.rpc form, details included.
google::rpc::Status ToRpcStatus(const absl::Status& status);

// The gRPC form; the details travel in the "grpc-status-details-bin" trailer. An error without an
// ErrorInfo gets one whose reason is the name of its code.
grpc::Status ToGrpcStatus(const absl::Status& status);

}  // namespace aisivi::server
