#include "server/jobs/expirer.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "absl/time/clock.h"

namespace aisivi::server {
namespace {

constexpr absl::Duration kLook = absl::Minutes(1);

}  // namespace

Expirer::Expirer(std::function<void(const std::string& id)> expire)
    : expire_(std::move(expire)), thread_([this] { Loop(); }) {}

Expirer::~Expirer() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void Expirer::Watch(const std::string& id, absl::Time time) {
  Forget(id);
  const std::lock_guard<std::mutex> lock(mutex_);
  by_time_.emplace(time, id);
  by_id_[id] = time;
  changed_.notify_all();
}

void Expirer::Forget(const std::string& id) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto known = by_id_.find(id);
  if (known == by_id_.end()) return;
  const auto [begin, end] = by_time_.equal_range(known->second);
  by_time_.erase(std::find_if(begin, end, [&](const auto& entry) { return entry.second == id; }));
  by_id_.erase(known);
}

void Expirer::Loop() {
  std::unique_lock<std::mutex> lock(mutex_);
  while (!stopping_) {
    const absl::Time now = absl::Now();
    if (by_time_.empty() || by_time_.begin()->first > now) {
      const absl::Duration wait =
          by_time_.empty() ? kLook : std::min(kLook, by_time_.begin()->first - now);
      changed_.wait_for(lock, absl::ToChronoNanoseconds(wait));
      continue;
    }
    const std::string id = by_time_.begin()->second;
    by_time_.erase(by_time_.begin());
    by_id_.erase(id);
    lock.unlock();
    expire_(id);
    lock.lock();
  }
}

}  // namespace aisivi::server
