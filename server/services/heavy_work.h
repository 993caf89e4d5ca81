// Computing within RPCs, off the threads that serve them: a few threads of its own and a bounded
// number of RPCs that wait for one, so that many clients at once exhaust neither memory nor the
// threads of gRPC.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "absl/status/status.h"

namespace aisivi::server {

struct HeavyWorkLimits {
  int threads = 4;   // stretches that compute at once, at least 1
  int waiting = 32;  // RPCs that wait for their first stretch; each holds its request
  int open = 256;    // RPCs in all, streams between two stretches included
};

// Thread safety: all methods may be called at once.
class HeavyWork {
 public:
  // What one RPC has queued; names it for Withdraw(). One at a time.
  struct Stretch {
    std::function<void()> run;
  };

  explicit HeavyWork(const HeavyWorkLimits& limits);
  // No stretch may be queued any more; waits for those that run.
  ~HeavyWork();
  HeavyWork(const HeavyWork&) = delete;
  HeavyWork& operator=(const HeavyWork&) = delete;

  // Takes an RPC in and queues its first stretch. RESOURCE_EXHAUSTED, reason TOO_BUSY, beyond the
  // limits. Every RPC that is taken in must Leave().
  absl::Status Enter(const std::shared_ptr<const Stretch>& stretch);
  // Queues a further stretch of an RPC that was taken in; never refused, and run after all others
  // that wait by then.
  void Continue(const std::shared_ptr<const Stretch>& stretch);
  // Takes a stretch out of the queue; false when it runs, has run or was never queued.
  bool Withdraw(const Stretch* stretch);
  void Leave();

 private:
  struct Entry {
    std::shared_ptr<const Stretch> stretch;
    bool first;  // of its RPC
  };
  void Loop();

  const HeavyWorkLimits limits_;
  std::mutex mutex_;
  std::condition_variable changed_;  // the queue or stopping_
  std::deque<Entry> queue_;
  int waiting_ = 0;  // entries that are the first of their RPC
  int busy_ = 0;     // threads that compute
  int open_ = 0;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace aisivi::server
