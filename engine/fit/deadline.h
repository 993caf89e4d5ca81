// One flag for everything that ends a phase early: the caller's cancellation, or the clock.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

namespace aisivi {

// Counts from its making, or from before it. Thread safety: flag() may be read from any thread; the
// rest belongs to one thread.
class Deadline {
 public:
  // `cancel` may be null and must outlive the deadline. limit: seconds, 0 for none; without one
  // flag() is `cancel` itself and no thread runs. used: seconds that have passed already.
  Deadline(const std::atomic<bool>* cancel, double limit, double used = 0);
  ~Deadline();
  Deadline(const Deadline&) = delete;
  Deadline& operator=(const Deadline&) = delete;

  // The flag rises, within ~10 ms, when `share` of the limit has passed or the caller cancels; it
  // falls again when a new share lies ahead.
  void Set(double share);
  const std::atomic<bool>* flag() const { return limit_ > 0 ? &flag_ : cancel_; }

  // The caller's own flag; may be null.
  const std::atomic<bool>* cancel() const { return cancel_; }
  bool Cancelled() const { return cancel_ != nullptr && cancel_->load(std::memory_order_relaxed); }
  double Seconds() const;
  // Whether that share of the limit has passed; never without a limit.
  bool Passed(double share) const { return limit_ > 0 && Seconds() >= share * limit_; }
  double limit() const { return limit_; }

 private:
  void Watch();

  const std::atomic<bool>* const cancel_;
  const double limit_;
  const std::chrono::steady_clock::time_point start_;
  std::atomic<bool> flag_{false};
  std::atomic<double> share_{1};
  std::mutex mutex_;
  std::condition_variable changed_;
  bool stop_ = false;  // under mutex_
  std::thread watcher_;
};

}  // namespace aisivi
