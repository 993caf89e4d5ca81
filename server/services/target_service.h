// TargetService: what can be fitted, and whether it is right.
#pragma once

#include <cstdint>

#include "absl/status/statusor.h"
#include "aisivi/v1/target_service.grpc.pb.h"

namespace aisivi::server {

class TargetServiceImpl final : public v1::TargetService::Service {
 public:
  explicit TargetServiceImpl(int64_t max_request_bytes) : max_request_bytes_(max_request_bytes) {}

  grpc::Status ListTargets(grpc::ServerContext* context, const v1::ListTargetsRequest* request,
                           v1::ListTargetsResponse* response) override;
  grpc::Status CheckTarget(grpc::ServerContext* context, const v1::CheckTargetRequest* request,
                           v1::CheckTargetResponse* response) override;

 private:
  absl::StatusOr<v1::CheckTargetResponse> Check(const grpc::ServerContext& context,
                                                const v1::CheckTargetRequest& request);

  const int64_t max_request_bytes_;
};

}  // namespace aisivi::server
