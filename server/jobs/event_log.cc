#include "server/jobs/event_log.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace aisivi::server {
namespace {

// Enough for watchers that are nearly there; a fit that has ended should hold little memory.
constexpr size_t kRetainedAfterEnd = 32;

}  // namespace

void EventLog::Append(v1::WatchFitResponse event) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (ended_) return;
    ended_ = event.has_fit();
    event.set_sequence(next_sequence_++);
    events_.push_back(std::make_shared<const v1::WatchFitResponse>(std::move(event)));
    const size_t keep = ended_ ? kRetainedAfterEnd : kCapacity;
    while (events_.size() > keep) events_.pop_front();
  }
  Notify();
}

void EventLog::Close() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    closed_ = true;
  }
  Notify();
}

int64_t EventLog::StartCursor(int64_t after_sequence) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  const int64_t last = next_sequence_ - 1;
  const int64_t oldest = next_sequence_ - static_cast<int64_t>(events_.size());
  if (after_sequence > last) after_sequence = 0;
  const int64_t cursor = std::max(after_sequence, oldest - 1);
  return ended_ ? std::min(cursor, last - 1) : cursor;
}

EventLog::Event EventLog::Next(int64_t cursor) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (cursor >= next_sequence_ - 1 || events_.empty()) return nullptr;
  const int64_t oldest = next_sequence_ - static_cast<int64_t>(events_.size());
  if (cursor + 1 < oldest) return events_.back();
  return events_[static_cast<size_t>(cursor + 1 - oldest)];
}

int64_t EventLog::last_sequence() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return next_sequence_ - 1;
}

bool EventLog::closed() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return closed_;
}

int64_t EventLog::AddListener(std::function<void()> listener) {
  const std::lock_guard<std::mutex> lock(mutex_);
  listeners_[next_listener_] = std::make_shared<const std::function<void()>>(std::move(listener));
  return next_listener_++;
}

void EventLog::RemoveListener(int64_t id) {
  const std::lock_guard<std::mutex> lock(mutex_);
  listeners_.erase(id);
}

void EventLog::Notify() {
  std::vector<Listener> listeners;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    for (const auto& [id, listener] : listeners_) listeners.push_back(listener);
  }
  for (const Listener& listener : listeners) (*listener)();
}

}  // namespace aisivi::server
