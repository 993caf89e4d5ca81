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

// Fits start, report once, and then wait until they are released or cancelled. Asked for a
// checkpoint they hand on "asked for".
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
  // What the fits that have started go on from, in order.
  std::vector<std::string> Resumed() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return resumed_;
  }
  // Lets all fits that are to go on from a checkpoint end with `status` at once.
  void Refuse(const absl::Status& status) {
    const std::lock_guard<std::mutex> lock(mutex_);
    refusal_ = status;
  }
  // Hands on a checkpoint of the fit that started last, which must be running, and waits for that.
  void Checkpoint(const std::string& bytes) {
    std::unique_lock<std::mutex> lock(mutex_);
    checkpoint_ = bytes;
    taker_ = seeds_.size();
    changed_.notify_all();
    changed_.wait(lock, [&] { return taker_ == 0; });
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
    if (!control.resume_from.empty() && !refusal_.ok()) return refusal_;
    size_t reported = reports_.size();
    lock.unlock();
    control.on_progress(Training(1));
    lock.lock();
    seeds_.push_back(options.seed);
    resumed_.emplace_back(control.resume_from);
    const size_t number = seeds_.size();
    changed_.notify_all();
    while (!released_ && !control.cancel->load()) {
      // The cancel flag wakes nobody, so it has to be looked at.
      changed_.wait_for(lock, std::chrono::milliseconds(5));
      if (taker_ == number) {
        HandOn(checkpoint_, control, lock);
        taker_ = 0;
        changed_.notify_all();
      }
      if (control.checkpoint_now != nullptr && control.checkpoint_now->load()) {
        HandOn("asked for", control, lock);
      }
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

  static void HandOn(const std::string& checkpoint, const FitControl& control,
                     std::unique_lock<std::mutex>& lock) {
    lock.unlock();
    control.on_checkpoint(checkpoint);
    lock.lock();
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<uint64_t> seeds_;
  std::vector<std::string> resumed_;
  std::vector<FitProgress> reports_;
  std::string checkpoint_;
  size_t taker_ = 0;  // number of the fit that hands it on, from 1; 0: it is done
  absl::Status refusal_;
  bool released_ = false;
  absl::StatusOr<FitResult> result_ = Ended();
};

}  // namespace aisivi::server
