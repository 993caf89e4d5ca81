#include "engine/fit/deadline.h"

#include "engine/fit/seconds_ago.h"

namespace aisivi {
namespace {

constexpr std::chrono::milliseconds kPoll{10};

}  // namespace

Deadline::Deadline(const std::atomic<bool>* cancel, double limit, double used)
    : cancel_(cancel), limit_(limit), start_(SecondsAgo(used)) {
  if (limit_ > 0) watcher_ = std::thread([this] { Watch(); });
}

Deadline::~Deadline() {
  if (!watcher_.joinable()) return;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stop_ = true;
  }
  changed_.notify_all();
  watcher_.join();
}

void Deadline::Set(double share) {
  share_ = share;
  if (!Cancelled() && !Passed(share)) flag_ = false;
}

double Deadline::Seconds() const {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
}

void Deadline::Watch() {
  std::unique_lock<std::mutex> lock(mutex_);
  while (!stop_) {
    if (Cancelled() || Passed(share_)) flag_ = true;
    changed_.wait_for(lock, kPoll);
  }
}

}  // namespace aisivi
