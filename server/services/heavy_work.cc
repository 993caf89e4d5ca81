#include "server/services/heavy_work.h"

#include <algorithm>
#include <utility>

#include "server/status.h"

namespace aisivi::server {
namespace {

constexpr absl::Duration kRetryDelay = absl::Seconds(5);

}  // namespace

HeavyWork::HeavyWork(const HeavyWorkLimits& limits) : limits_(limits) {
  for (int i = 0; i < limits_.threads; ++i) threads_.emplace_back([this] { Loop(); });
}

HeavyWork::~HeavyWork() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

absl::Status HeavyWork::Enter(const std::shared_ptr<const Stretch>& stretch) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    // A thread that has yet to wake takes one of those that wait.
    const int idle = limits_.threads - busy_;
    if (waiting_ >= limits_.waiting + idle) return TooBusy(waiting_ + busy_, kRetryDelay);
    if (open_ >= limits_.open) return TooBusy(open_, kRetryDelay);
    ++open_;
    ++waiting_;
    queue_.push_back({stretch, true});
  }
  changed_.notify_one();
  return absl::OkStatus();
}

void HeavyWork::Continue(const std::shared_ptr<const Stretch>& stretch) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    queue_.push_back({stretch, false});
  }
  changed_.notify_one();
}

bool HeavyWork::Withdraw(const Stretch* stretch) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto found = std::find_if(queue_.begin(), queue_.end(), [&](const Entry& entry) {
    return entry.stretch.get() == stretch;
  });
  if (found == queue_.end()) return false;
  if (found->first) --waiting_;
  queue_.erase(found);
  return true;
}

void HeavyWork::Leave() {
  const std::lock_guard<std::mutex> lock(mutex_);
  --open_;
}

void HeavyWork::Loop() {
  std::unique_lock<std::mutex> lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
    if (queue_.empty()) return;
    const Entry entry = std::move(queue_.front());
    queue_.pop_front();
    if (entry.first) --waiting_;
    ++busy_;
    lock.unlock();
    entry.stretch->run();
    lock.lock();
    --busy_;
  }
}

}  // namespace aisivi::server
