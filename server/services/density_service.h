// DensityService: streams of processes that evaluate densities, handed to the broker.
#pragma once

#include "aisivi/v1/density_service.grpc.pb.h"
#include "server/remote/density_broker.h"

namespace aisivi::server {

// No thread waits for a stream.
class DensityServiceImpl final
    : public v1::DensityService::WithCallbackMethod_ServeDensity<v1::DensityService::Service> {
 public:
  // The broker must outlive this.
  explicit DensityServiceImpl(DensityBroker* broker) : broker_(broker) {}

  grpc::ServerBidiReactor<v1::ServeDensityRequest, v1::ServeDensityResponse>* ServeDensity(
      grpc::CallbackServerContext* context) override;

 private:
  DensityBroker* const broker_;
};

}  // namespace aisivi::server
