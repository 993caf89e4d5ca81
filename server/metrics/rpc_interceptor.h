// Counts every RPC of the server, whatever its service and kind: ended RPCs by method and status
// code, and the bytes of the messages sent.
#pragma once

#include <grpcpp/support/server_interceptor.h>

#include "server/metrics/server_metrics.h"

namespace aisivi::server {

class RpcInterceptorFactory : public grpc::experimental::ServerInterceptorFactoryInterface {
 public:
  // `metrics` must outlive the server.
  explicit RpcInterceptorFactory(ServerMetrics* metrics) : metrics_(metrics) {}

  grpc::experimental::Interceptor* CreateServerInterceptor(
      grpc::experimental::ServerRpcInfo* info) override;

 private:
  ServerMetrics* const metrics_;
};

}  // namespace aisivi::server
