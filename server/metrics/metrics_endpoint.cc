#include "server/metrics/metrics_endpoint.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <exception>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"

namespace aisivi::server {
namespace {

// Connects to the port on every loopback address, and leaves.
void WakeListener(int port) {
  const auto connect_to = [](const auto& address) {
    const int socket =
        ::socket(reinterpret_cast<const sockaddr*>(&address)->sa_family, SOCK_STREAM, 0);
    if (socket < 0) return;
    (void)::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof(address));
    ::close(socket);
  };
  sockaddr_in v4{};
  v4.sin_family = AF_INET;
  v4.sin_port = htons(static_cast<uint16_t>(port));
  v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  connect_to(v4);
  sockaddr_in6 v6{};
  v6.sin6_family = AF_INET6;
  v6.sin6_port = v4.sin_port;
  v6.sin6_addr = in6addr_loopback;
  connect_to(v6);
}

}  // namespace

absl::StatusOr<std::unique_ptr<MetricsEndpoint>> MetricsEndpoint::Start(
    const std::string& address, std::shared_ptr<prometheus::Collectable> metrics) {
  try {
    auto exposer = std::make_unique<prometheus::Exposer>(address);
    exposer->RegisterCollectable(metrics);
    const int port = exposer->GetListeningPorts().at(0);
    return std::unique_ptr<MetricsEndpoint>(new MetricsEndpoint(std::move(exposer), port));
  } catch (const std::exception& error) {
    return absl::UnavailableError(absl::StrCat("cannot listen on ", address));
  }
}

MetricsEndpoint::MetricsEndpoint(std::unique_ptr<prometheus::Exposer> exposer, int port)
    : exposer_(std::move(exposer)), port_(port) {}

MetricsEndpoint::~MetricsEndpoint() {
  // The web server looks whether it shall end only when somebody connects, or every two seconds.
  std::atomic<bool> ended{false};
  std::thread ending([&] {
    exposer_.reset();
    ended = true;
  });
  while (!ended) {
    WakeListener(port_);
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  ending.join();
}

}  // namespace aisivi::server
