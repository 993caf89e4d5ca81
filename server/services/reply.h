// The end of every unary handler: a StatusOr becomes a response or a gRPC status.
#pragma once

#include <grpcpp/support/status.h>

#include <utility>

#include "absl/status/statusor.h"
#include "server/status.h"

namespace aisivi::server {

template <typename Response>
grpc::Status Reply(absl::StatusOr<Response> result, Response* response) {
  if (!result.ok()) return ToGrpcStatus(result.status());
  *response = *std::move(result);
  return grpc::Status::OK;
}

}  // namespace aisivi::server
