// TargetService: what can be fitted, and whether it is right.
#pragma once

#include <cstdint>

#include "aisivi/v1/target_service.grpc.pb.h"
#include "server/services/heavy_work.h"
#include "server/store/dataset_store.h"

namespace aisivi::server {

// CheckTarget is HeavyWork; ListTargets is short.
class TargetServiceImpl final
    : public v1::TargetService::WithCallbackMethod_CheckTarget<v1::TargetService::Service> {
 public:
  // `datasets` and `work` must outlive this.
  TargetServiceImpl(DatasetStore* datasets, HeavyWork* work, int64_t max_request_bytes)
      : datasets_(datasets), work_(work), max_request_bytes_(max_request_bytes) {}

  grpc::Status ListTargets(grpc::ServerContext* context, const v1::ListTargetsRequest* request,
                           v1::ListTargetsResponse* response) override;
  grpc::ServerUnaryReactor* CheckTarget(grpc::CallbackServerContext* context,
                                        const v1::CheckTargetRequest* request,
                                        v1::CheckTargetResponse* response) override;

 private:
  DatasetStore* const datasets_;
  HeavyWork* const work_;
  const int64_t max_request_bytes_;
};

}  // namespace aisivi::server
