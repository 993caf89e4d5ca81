// The HTTP endpoint that Prometheus scrapes.
#pragma once

#include <prometheus/collectable.h>
#include <prometheus/exposer.h>

#include <memory>
#include <string>

#include "absl/status/statusor.h"

namespace aisivi::server {

class MetricsEndpoint {
 public:
  // Serves `metrics` at http://ADDRESS/metrics; "HOST:PORT", port 0 for any that is free.
  // UNAVAILABLE when that cannot be listened on.
  static absl::StatusOr<std::unique_ptr<MetricsEndpoint>> Start(
      const std::string& address, std::shared_ptr<prometheus::Collectable> metrics);
  // Stops serving: at once where the port is open on the loopback, else within two seconds.
  ~MetricsEndpoint();

  int port() const { return port_; }

 private:
  MetricsEndpoint(std::unique_ptr<prometheus::Exposer> exposer, int port);

  std::unique_ptr<prometheus::Exposer> exposer_;
  const int port_;
};

}  // namespace aisivi::server
