// TargetService: what can be fitted, and whether it is right.
#pragma once

#include <cstdint>

#include "aisivi/v1/target_service.grpc.pb.h"
#include "server/convert/target_sources.h"
#include "server/services/heavy_work.h"

namespace aisivi::server {

// CheckTarget is HeavyWork; ListTargets is short.
class TargetServiceImpl final
    : public v1::TargetService::WithCallbackMethod_CheckTarget<v1::TargetService::Service> {
 public:
  // The sources and `work` must outlive this.
  TargetServiceImpl(const TargetSources& sources, HeavyWork* work, int64_t max_request_bytes)
      : sources_(sources), work_(work), max_request_bytes_(max_request_bytes) {}

  grpc::Status ListTargets(grpc::ServerContext* context, const v1::ListTargetsRequest* request,
                           v1::ListTargetsResponse* response) override;
  grpc::ServerUnaryReactor* CheckTarget(grpc::CallbackServerContext* context,
                                        const v1::CheckTargetRequest* request,
                                        v1::CheckTargetResponse* response) override;

 private:
  const TargetSources sources_;
  HeavyWork* const work_;
  const int64_t max_request_bytes_;
};

}  // namespace aisivi::server
