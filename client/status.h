// Errors of the service as absl::Status, with their google.rpc details kept.
//
// Every detail message becomes a payload of the status under its type URL, for instance
// "type.googleapis.com/google.rpc.BadRequest"; the functions below read the ones people ask for.
#pragma once

#include <grpcpp/support/status.h>

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace aisivi {

// OK, or the same code and message with the details as payloads.
absl::Status FromGrpcStatus(const grpc::Status& status);

// A wrong field of a request.
struct FieldViolation {
  std::string field;  // its path, for instance "fit.target.logistic_regression.x"
  std::string description;
};

// The fields an INVALID_ARGUMENT is about; empty for other errors.
std::vector<FieldViolation> FieldViolations(const absl::Status& status);

// The machine-readable reason (google.rpc.ErrorInfo.reason); empty when there is none.
std::string ErrorReason(const absl::Status& status);

// How long to wait before another try, when the service says so.
std::optional<absl::Duration> RetryDelay(const absl::Status& status);

}  // namespace aisivi
