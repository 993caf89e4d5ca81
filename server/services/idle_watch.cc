#include "server/services/idle_watch.h"

#include <utility>

namespace aisivi::server {

IdleWatch::IdleWatch(absl::Duration patience) : patience_(patience), thread_([this] { Loop(); }) {}

IdleWatch::~IdleWatch() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void IdleWatch::Watch(const void* key, std::function<void()> too_long) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (const auto before = by_key_.find(key); before != by_key_.end()) {
      waiting_.erase(before->second);
    }
    const Clock::time_point until = Clock::now() + absl::ToChronoNanoseconds(patience_);
    by_key_[key] = waiting_.insert(waiting_.end(), {key, until, std::move(too_long)});
  }
  changed_.notify_all();
}

void IdleWatch::Forget(const void* key) {
  std::unique_lock<std::mutex> lock(mutex_);
  if (const auto found = by_key_.find(key); found != by_key_.end()) {
    waiting_.erase(found->second);
    by_key_.erase(found);
  }
  // The call itself may end what forgets it.
  if (std::this_thread::get_id() == thread_.get_id()) return;
  changed_.wait(lock, [&] { return called_ != key; });
}

void IdleWatch::Loop() {
  std::unique_lock<std::mutex> lock(mutex_);
  while (!stopping_) {
    if (waiting_.empty()) {
      changed_.wait(lock);
      continue;
    }
    if (Clock::now() < waiting_.front().until) {
      changed_.wait_until(lock, Clock::time_point(waiting_.front().until));
      continue;
    }
    const Entry entry = std::move(waiting_.front());
    waiting_.pop_front();
    by_key_.erase(entry.key);
    called_ = entry.key;
    lock.unlock();
    entry.too_long();
    lock.lock();
    called_ = nullptr;
    changed_.notify_all();
  }
}

}  // namespace aisivi::server
