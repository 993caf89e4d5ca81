// A stretch of computing within an RPC: waits for its turn, so that many clients at once do not
// exhaust memory, and turns the client's leaving into the engine's cancel flag.
#pragma once

#include <grpcpp/server_context.h>

#include <atomic>
#include <semaphore>
#include <thread>

#include "absl/status/status.h"

namespace aisivi::server {

// How many stretches may compute at once.
class HeavyWorkLimit {
 public:
  explicit HeavyWorkLimit(int limit) : turns_(limit) {}

 private:
  friend class HeavyWork;
  std::counting_semaphore<> turns_;
};

// Lives on the RPC's own thread, for the length of the stretch.
class HeavyWork {
 public:
  // Waits until there is a turn, or the client has left.
  HeavyWork(const grpc::ServerContext* context, HeavyWorkLimit* limit);
  ~HeavyWork();
  HeavyWork(const HeavyWork&) = delete;
  HeavyWork& operator=(const HeavyWork&) = delete;

  // CANCELLED when the client has left (or its deadline has passed).
  absl::Status status() const;
  const std::atomic<bool>* cancel() const { return &cancelled_; }

 private:
  const grpc::ServerContext* const context_;
  HeavyWorkLimit* const limit_;
  bool has_turn_ = false;
  std::atomic<bool> cancelled_{false};
  std::jthread watcher_;  // last: uses the above
};

}  // namespace aisivi::server
