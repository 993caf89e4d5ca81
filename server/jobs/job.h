// A fit of the server as the job manager keeps it.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include "aisivi/v1/fit_service.pb.h"
#include "server/jobs/event_log.h"
#include "server/jobs/live_fit.h"
#include "server/jobs/training_record.h"

namespace aisivi::server {

// Guarded by the manager's mutex, but for what never changes (id, request, events) and the flags
// that the fit looks at.
struct Job {
  std::string id;
  std::string request_id;
  uint64_t fingerprint = 0;
  LiveFit fit;
  bool storing = false;  // its file is being written or removed
  TrainingRecord record;
  double last_event_seconds = -1;
  // Starts so far that FitRecord.attempts counts, without the one under way.
  int attempts = 0;
  bool unproven = false;            // runs, without a checkpoint since it began to, or for a while
  bool interrupted = false;         // by the shutdown
  bool cancelled_for_good = false;  // ended so even when interrupted
  std::atomic<bool> cancel{false};
  std::atomic<bool> checkpoint_now{false};
  std::shared_ptr<EventLog> events;
};
using JobPtr = std::shared_ptr<Job>;

// Marks a job as `storing` from here to its end, whatever ends it. `lock` is held at the beginning
// and may be let go meanwhile; at the end it is held again. `ended` is told then.
class Storing {
 public:
  Storing(Job* job, std::unique_lock<std::mutex>* lock, std::condition_variable* ended)
      : job_(job), lock_(lock), ended_(ended) {
    job_->storing = true;
  }
  ~Storing() {
    if (!lock_->owns_lock()) lock_->lock();
    job_->storing = false;
    ended_->notify_all();
  }
  Storing(const Storing&) = delete;
  Storing& operator=(const Storing&) = delete;

 private:
  Job* const job_;
  std::unique_lock<std::mutex>* const lock_;
  std::condition_variable* const ended_;
};

inline bool HasEnded(v1::Fit::State state) {
  return state != v1::Fit::STATE_QUEUED && state != v1::Fit::STATE_RUNNING;
}

// What watchers are told.
v1::WatchFitResponse StateEvent(v1::Fit::State state);
v1::WatchFitResponse FinalEvent(const v1::Fit& fit);

}  // namespace aisivi::server
