// aisivi-density-bench: how fast the server gets answers from processes that evaluate a density.
//
//   aisivi-density-bench [BATCHES [POINTS]]   2000 batches of 128 points
//
// Serves DensityService alone, on a free port of the loopback interface that it prints. On standard
// input it reads the name of a density that is served by then, and asks for it and its scores with
// two threads, each of which waits for its answer as a fit does: two batches are in flight. Prints
// the seconds. It computes nothing, so that what is measured is the way and the process at its end.
// tests/benchmarks/density_throughput runs it with a process of Python.
#include <grpcpp/grpcpp.h>

#include <Eigen/Core>
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "server/memory.h"
#include "server/remote/density_broker.h"
#include "server/services/array_transport.h"
#include "server/services/density_service.h"

namespace aisivi::server {
namespace {

constexpr int kInFlight = 2;

[[noreturn]] void Fail(const absl::Status& status) {
  std::fprintf(stderr, "aisivi-density-bench: %s\n", status.ToString().c_str());
  std::exit(1);
}

// Seconds that so many evaluations take.
double Ask(DensityBroker& broker, const RemoteDensity& density, int batches, int points) {
  // No two values alike, all of a size at which a density is finite.
  const Eigen::VectorXd values =
      Eigen::VectorXd::LinSpaced(density.map.constrained() * points, -2.0, 2.0);
  const Eigen::MatrixXd x = values.reshaped(density.map.constrained(), points);
  std::atomic<int> left = batches;
  std::vector<std::thread> threads;
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < kInFlight; ++i) {
    threads.emplace_back([&] {
      Eigen::VectorXd log_density;
      Eigen::MatrixXd score;
      while (left.fetch_sub(1) > 0) {
        const absl::Status status =
            broker.Evaluate(density, x, {absl::Seconds(10), nullptr}, &log_density, &score);
        if (!status.ok()) Fail(status);
        if (!log_density.allFinite()) Fail(absl::InternalError("a density that is not finite"));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

int Main(int batches, int points) {
  KeepTemporaries();
  DensityBroker broker;
  DensityServiceImpl service(&broker);
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  builder.SetMaxReceiveMessageSize(-1);
  CarryArrays(&builder);
  builder.RegisterService(&service);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  std::printf("%d\n", port);
  std::fflush(stdout);
  std::string name;
  std::getline(std::cin, name);
  const auto density = broker.Find("name", name);
  if (!density.ok()) Fail(density.status());
  Ask(broker, **density, 100, points);
  std::printf("%.6f\n", Ask(broker, **density, batches, points));
  broker.Shutdown();
  server->Shutdown(std::chrono::system_clock::now() + std::chrono::seconds(2));
  return 0;
}

}  // namespace
}  // namespace aisivi::server

int main(int argc, char** argv) {
  const int batches = argc > 1 ? std::atoi(argv[1]) : 2000;
  const int points = argc > 2 ? std::atoi(argv[2]) : 128;
  if (batches < 1 || points < 1) {
    std::fprintf(stderr, "usage: aisivi-density-bench [BATCHES [POINTS]]\n");
    return 2;
  }
  return aisivi::server::Main(batches, points);
}
