// Calls back when the time of something has come: for fits that go by themselves.
#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>

#include "absl/time/time.h"

namespace aisivi::server {

// Thread safety: all methods may be called at once. The wall clock decides, looked at once a minute
// at least, since it may be set.
class Expirer {
 public:
  // `expire` is called on a thread of this, one id at a time; it may call Watch() and Forget().
  explicit Expirer(std::function<void(const std::string& id)> expire);
  // Waits for a call that is being made.
  ~Expirer();

  // Expires `id` at `time`, at once when that has passed, instead of at any time set before.
  void Watch(const std::string& id, absl::Time time);
  void Forget(const std::string& id);

 private:
  void Loop();

  const std::function<void(const std::string& id)> expire_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::multimap<absl::Time, std::string> by_time_;
  std::map<std::string, absl::Time> by_id_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace aisivi::server
