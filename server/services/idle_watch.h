// Ends what waits too long for its client: RPCs whose client is there and sends nothing.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <list>
#include <mutex>
#include <thread>
#include <unordered_map>

#include "absl/time/time.h"

namespace aisivi::server {

// Thread safety: all methods may be called at once.
class IdleWatch {
 public:
  // `patience`: how long one may wait.
  explicit IdleWatch(absl::Duration patience);
  // Waits for a call that is being made.
  ~IdleWatch();
  IdleWatch(const IdleWatch&) = delete;
  IdleWatch& operator=(const IdleWatch&) = delete;

  absl::Duration patience() const { return patience_; }

  // Calls `too_long`, on a thread of this, unless Forget() comes in time; replaces what was watched
  // for `key` before. `too_long` may call Forget(), and no Watch().
  void Watch(const void* key, std::function<void()> too_long);
  // Afterwards its call is not made, and no longer being made by another thread.
  void Forget(const void* key);

 private:
  using Clock = std::chrono::steady_clock;
  struct Entry {
    const void* key;
    Clock::time_point until;
    std::function<void()> too_long;
  };
  void Loop();

  const absl::Duration patience_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::list<Entry> waiting_;  // the next to be called first: all have the same patience
  std::unordered_map<const void*, std::list<Entry>::iterator> by_key_;
  const void* called_ = nullptr;  // whose call is being made
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace aisivi::server
