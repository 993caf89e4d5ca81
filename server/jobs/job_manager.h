// The fits of the server: a bounded queue, the threads that run them, and their state.
//
// Every fit is on disk before its creation is acknowledged and again when it ends, and its
// checkpoints in between, so that neither a crash nor a shutdown loses anything: a fit that had not
// ended is taken up by Recover() and goes on from its last checkpoint. A fit that the server died
// of again and again, kMaxAttempts times without a checkpoint in between, is FAILED; the last of
// these times nothing else is at risk beside it, so that it can only be its own fault. In memory a
// fit has no arrays of its target, and only its newest events; targets, models and curves are read
// from the store on demand.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "aisivi/v1/fit_service.pb.h"
#include "engine/parallel/thread_pool.h"
#include "server/jobs/expirer.h"
#include "server/jobs/fit_filter.h"
#include "server/jobs/fit_runner.h"
#include "server/jobs/job_observer.h"
#include "server/jobs/job_table.h"
#include "server/store/fit_store.h"

namespace aisivi::server {

struct JobLimits {
  int max_running = 2;  // at least 1
  int max_queued = 64;  // waiting fits, at least 0
};

// Changes display_name, labels and expire_time of a fit, and nothing else.
using FitChange = std::function<void(v1::Fit* fit)>;

// Thread safety: all methods may be called at once, except Recover() and Shutdown().
class JobManager {
 public:
  static constexpr int kMaxAttempts = 3;

  // `pool`, the store, `observer` and the sources must outlive the manager; observer may be null.
  JobManager(const JobLimits& limits, FitFunction run_fit, ThreadPool* pool, FitStore* store,
             JobObserver* observer, const TargetSources& sources = {});
  ~JobManager();

  // Takes up what the store holds: ended fits are served again, others are queued again. A fit
  // whose file cannot be read is served as FAILED with DATA_LOSS; the file is never written again,
  // and goes only with Delete(). Call once, before Start().
  void Recover();
  // Starts running fits.
  void Start();
  // Interrupts running fits, after one more checkpoint where that is a matter of two seconds, and
  // joins their threads. They wait again then, and stay in the store as QUEUED like those that
  // wait. CANCELLED are those only that were cancelled before or whose target ends with this server
  // (TargetSpec.remote). Idempotent.
  void Shutdown();

  // Stores and queues a fit whose request passed PlanFit(), or returns the one that the same
  // `request_id` (may be empty) created before.
  absl::StatusOr<v1::Fit> Create(const v1::Fit& planned, const std::string& request_id,
                                 uint64_t fingerprint);
  // The fit of a repeated request; null when `request_id` is new. INVALID_ARGUMENT at `request_id`
  // when the requests differ.
  absl::StatusOr<std::unique_ptr<v1::Fit>> FindRequest(const std::string& request_id,
                                                       uint64_t fingerprint) const;
  absl::StatusOr<v1::Fit> Get(const std::string& id) const;
  // At most `limit` fits beyond `position` in that order (0: from its beginning) that match, as
  // LiveFit::Listed() has them. A fit's position is Age().
  std::vector<LiveFit::Snapshot> List(const FitFilter& filter, ListOrder order, int64_t position,
                                      int limit) const;
  static int64_t Age(const v1::Fit& fit) { return AgeOf(fit); }
  // The three of them: ABORTED when `etag` is neither empty nor the fit's.
  // The fit as changed, which is on disk.
  absl::StatusOr<v1::Fit> Update(const std::string& id, const std::string& etag,
                                 const FitChange& change);
  // Waits up to `patience` for a running fit to end.
  absl::StatusOr<v1::Fit> Cancel(const std::string& id, const std::string& etag,
                                 absl::Duration patience);
  absl::Status Delete(const std::string& id, const std::string& etag);
  absl::StatusOr<std::shared_ptr<EventLog>> Events(const std::string& id) const;
  absl::StatusOr<v1::TrainingHistory> History(const std::string& id) const;
  // All that is stored of a fit.
  absl::StatusOr<FitRecord> Record(const std::string& id) const;
  std::map<v1::Fit::State, int> CountByState() const;

 private:
  absl::StatusOr<JobPtr> RecoverOne(const std::string& id);
  JobPtr StandIn(const std::string& id, const absl::Status& error);
  std::vector<LiveFit::Snapshot> NextListed(int64_t position, ListOrder order) const;
  void WatchExpiry(const v1::Fit& fit, const std::string& id);
  void Expire(const std::string& id);
  // Deletes a fit that has ended unless `check`, made with mutex_ held once nothing else writes its
  // file, returns an error, which is returned.
  absl::Status DeleteIf(const std::string& id,
                        const std::function<absl::Status(const v1::Fit& fit)>& check);

  void RunnerLoop();
  // With mutex_ held: whether the first of the queue may begin.
  bool CanBegin() const;
  JobPtr NextJob();
  void RunJob(const JobPtr& job);
  // Reads the record of a fit that begins, and counts that. DATA_LOSS, NOT_FOUND.
  absl::StatusOr<FitRecord> Begin(Job& job);
  FitRecord RunRecord(Job& job, FitRecord record);
  void OnCheckpoint(Job& job, const std::string& checkpoint);
  // No other fit has to wait for this one any more. With mutex_ held.
  void Prove(Job& job);
  // Lays an interrupted fit back, which is `storing` and QUEUED.
  void Requeue(Job& job);
  void OnProgress(Job& job, const FitProgress& progress);
  void EndJob(Job& job, const v1::Fit& fit);
  absl::Status CancelQueued(const JobPtr& job, std::unique_lock<std::mutex>& lock);

  const JobLimits limits_;
  const FitFunction run_fit_;
  ThreadPool* const pool_;
  FitStore* const store_;
  JobObserver* const observer_;
  const TargetSources sources_;
  const v1::EngineInfo engine_;

  std::mutex create_mutex_;        // held over a whole creation; taken before mutex_
  mutable std::mutex mutex_;       // guards all below, and the state of every job
  std::condition_variable work_;   // the queue or stopping_ changed
  std::condition_variable ended_;  // a job ended, or a write of its file did
  JobTable jobs_;
  std::deque<JobPtr> queue_;
  int running_ = 0;
  int unproven_ = 0;    // of the running ones
  bool trial_ = false;  // one of them makes its last attempt
  bool stopping_ = false;
  std::vector<std::thread> runners_;
  Expirer expirer_;  // the last: its calls need all above
};

}  // namespace aisivi::server
