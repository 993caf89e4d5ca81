#include "server/services/heavy_work.h"

#include <chrono>
#include <condition_variable>
#include <mutex>

namespace aisivi::server {
namespace {

constexpr std::chrono::milliseconds kLook(20);

// Until asked to stop: sets `cancelled` once the client has left.
void Watch(const std::stop_token& stop, const grpc::ServerContext* context,
           std::atomic<bool>* cancelled) {
  std::mutex mutex;
  std::condition_variable_any wake;
  std::unique_lock<std::mutex> lock(mutex);
  while (!stop.stop_requested() && !cancelled->load()) {
    if (context->IsCancelled()) *cancelled = true;
    wake.wait_for(lock, stop, kLook, [] { return false; });
  }
}

}  // namespace

HeavyWork::HeavyWork(const grpc::ServerContext* context, HeavyWorkLimit* limit)
    : context_(context), limit_(limit) {
  while (!has_turn_ && !context_->IsCancelled()) {
    has_turn_ = limit_->turns_.try_acquire_for(kLook);
  }
  cancelled_ = !has_turn_;
  watcher_ =
      std::jthread([this](const std::stop_token& stop) { Watch(stop, context_, &cancelled_); });
}

HeavyWork::~HeavyWork() {
  watcher_.request_stop();
  watcher_.join();
  if (has_turn_) limit_->turns_.release();
}

absl::Status HeavyWork::status() const {
  if (!cancelled_.load() && !context_->IsCancelled()) return absl::OkStatus();
  return absl::CancelledError("the client has left");
}

}  // namespace aisivi::server
