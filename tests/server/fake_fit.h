// A FitFunction that does what a test tells it, for tests of what surrounds a fit.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "server/jobs/fit_runner.h"

namespace aisivi::server {

// Fits start, report once, and then wait until they are released or cancelled.
class FakeFit {
 public:
  FitFunction Function() {
    return [this](const Target& target, const FitOptions& options, ThreadPool& pool,
                  const FitControl& control) { return Run(target, options, control); };
  }

  // Lets all fits, also later ones, end with `result`.
  void Release(absl::StatusOr<FitResult> result = Ended()) {
    const std::lock_guard<std::mutex> lock(mutex_);
    result_ = std::move(result);
    released_ = true;
    changed_.notify_all();
  }
  // Waits until `count` fits have started, in all.
  void AwaitStarted(int count) {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [&] { return static_cast<int>(seeds_.size()) >= count; });
  }
  // Seeds of the fits that have started, in order.
  std::vector<uint64_t> Seeds() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return seeds_;
  }
  // Sends one more report from every running fit.
  void Report(const FitProgress& progress) {
    const std::lock_guard<std::mutex> lock(mutex_);
    reports_.push_back(progress);
    changed_.notify_all();
  }

  static FitResult Ended() {
    FitResult result;
    result.reason = TerminationReason::kIterationLimit;
    result.message = "all iterations are done";
    result.last.phase = FitPhase::kDone;
    result.last.iteration = 7;
    result.history = {Training(1), Training(2)};
    result.log = {"a fake"};
    return result;
  }
  static FitProgress Training(int64_t iteration) {
    FitProgress progress;
    progress.phase = FitPhase::kTraining;
    progress.iteration = iteration;
    progress.total_iterations = 10;
    progress.seconds = static_cast<double>(iteration);
    progress.loss = -0.5;
    return progress;
  }

 private:
  absl::StatusOr<FitResult> Run(const Target& target, const FitOptions& options,
                                const FitControl& control) {
    std::unique_lock<std::mutex> lock(mutex_);
    size_t reported = reports_.size();
    lock.unlock();
    control.on_progress(Training(1));
    lock.lock();
    seeds_.push_back(options.seed);
    changed_.notify_all();
    while (!released_ && !control.cancel->load()) {
      // The cancel flag wakes nobody, so it has to be looked at.
      changed_.wait_for(lock, std::chrono::milliseconds(5));
      while (reported < reports_.size()) {
        const FitProgress progress = reports_[reported++];
        lock.unlock();
        control.on_progress(progress);
        lock.lock();
      }
    }
    if (!control.cancel->load()) return result_;
    FitResult cancelled;
    cancelled.reason = TerminationReason::kCancelled;
    cancelled.message = "asked to stop";
    return cancelled;
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<uint64_t> seeds_;
  std::vector<FitProgress> reports_;
  bool released_ = false;
  absl::StatusOr<FitResult> result_ = Ended();
};

}  // namespace aisivi::server
