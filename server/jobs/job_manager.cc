#include "server/jobs/job_manager.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "server/convert/engine_info.h"
#include "server/convert/progress.h"
#include "server/jobs/fit_identity.h"
#include "server/jobs/fit_name.h"
#include "server/jobs/fit_plan.h"
#include "server/jobs/resuming_fit.h"
#include "server/jobs/stored_change.h"
#include "server/status.h"
#include "spdlog/spdlog.h"

namespace aisivi::server {
namespace {

// Events closer than this to the one before are not worth a watcher's while.
constexpr double kEventSeconds = 0.1;
constexpr absl::Duration kRetryDelay = absl::Seconds(10);
constexpr absl::Duration kRetryExpiry = absl::Minutes(1);
// How many fits a list takes under the lock before it lets others have it.
constexpr size_t kListedAtOnce = 256;
// What a shutdown waits for last checkpoints; a step of training is a few milliseconds, mostly.
constexpr std::chrono::seconds kLastCheckpoints(2);

// What kills the server does so at once, mostly: for so long others wait for the checkpoint of a
// fit that may.
constexpr absl::Duration kTrial = absl::Minutes(10);

bool IsLastAttempt(const Job& job) { return job.attempts == JobManager::kMaxAttempts - 1; }

absl::Status CrashLoop() {
  return absl::InternalError(absl::StrCat(
      "CRASH_LOOP: the server died ", JobManager::kMaxAttempts,
      " times in a row while this fit ran, before it had a checkpoint; it is not run again"));
}

}  // namespace

JobManager::JobManager(const JobLimits& limits, FitFunction run_fit, ThreadPool* pool,
                       FitStore* store, JobObserver* observer, const TargetSources& sources)
    : limits_(limits),
      run_fit_(std::move(run_fit)),
      pool_(pool),
      store_(store),
      observer_(observer),
      sources_(sources),
      engine_(ThisEngine()),
      expirer_([this](const std::string& id) { Expire(id); }) {}

JobManager::~JobManager() { Shutdown(); }

// A fit that has ended has its time watched; one whose file cannot be removed is tried again.
void JobManager::WatchExpiry(const v1::Fit& fit, const std::string& id) {
  if (!HasEnded(fit.state()) || !fit.has_expire_time()) {
    expirer_.Forget(id);
  } else {
    expirer_.Watch(id, FromTimestamp(fit.expire_time()));
  }
}

void JobManager::Expire(const std::string& id) {
  bool expired = true;
  // Asked again when no update is on its way any more: one may have changed the time since.
  const absl::Status status = DeleteIf(id, [&](const v1::Fit& fit) {
    expired = fit.has_expire_time() && FromTimestamp(fit.expire_time()) <= absl::Now();
    if (expired) return absl::OkStatus();
    WatchExpiry(fit, id);
    return absl::AbortedError("has another expire_time");
  });
  if (status.ok()) {
    spdlog::info("{} has expired", FitName(id));
  } else if (expired && !absl::IsNotFound(status)) {
    spdlog::error("{} has expired and cannot be deleted: {}", FitName(id),
                  std::string(status.message()));
    expirer_.Watch(id, absl::Now() + kRetryExpiry);
  }
}

void JobManager::Start() {
  const std::lock_guard<std::mutex> lock(mutex_);
  for (int i = 0; i < limits_.max_running; ++i) runners_.emplace_back([this] { RunnerLoop(); });
}

absl::StatusOr<JobPtr> JobManager::RecoverOne(const std::string& id) {
  absl::StatusOr<FitRecord> record = store_->Read(id);
  if (!record.ok()) return record.status();
  if (record->fit().name() != FitName(id)) {
    return absl::DataLossError(absl::StrCat("holds another fit, ", record->fit().name()));
  }
  auto job = std::make_shared<Job>();
  job->id = id;
  job->request_id = record->request_id();
  job->fingerprint = record->request_fingerprint();
  job->fit = LiveFit(WithoutArrays(record->fit()));
  job->attempts = record->attempts();
  // The end may have been stored and the server have died then.
  if (HasEnded(job->fit->state())) RemoveCheckpointOf(store_, id);
  job->events = std::make_shared<EventLog>(std::max<int64_t>(1, record->last_sequence()));
  job->events->Append(HasEnded(job->fit->state()) ? FinalEvent(*job->fit)
                                                  : StateEvent(v1::Fit::STATE_QUEUED));
  return job;
}

// Stands for a file that cannot be read: it is shown as FAILED, and left as it is until someone
// deletes the fit.
JobPtr JobManager::StandIn(const std::string& id, const absl::Status& error) {
  v1::Fit fit;
  fit.set_name(FitName(id));
  MarkFailed(error, &fit);
  // Lists begin at 0, whatever an archive has made of the file's time.
  int64_t age = std::max<int64_t>(1, absl::ToUnixNanos(store_->WriteTime(id)));
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    while (jobs_.HasAge(age)) ++age;
  }
  *fit.mutable_create_time() = ToTimestamp(absl::FromUnixNanos(age));
  *fit.mutable_end_time() = fit.create_time();
  auto job = std::make_shared<Job>();
  job->id = id;
  job->fit = LiveFit(std::move(fit));
  job->events = std::make_shared<EventLog>();
  job->events->Append(FinalEvent(*job->fit));
  return job;
}

void JobManager::Recover() {
  std::vector<JobPtr> waiting;
  for (const std::string& id : store_->Ids()) {
    absl::StatusOr<JobPtr> job = RecoverOne(id);
    if (!job.ok()) {
      const absl::Status named = ParseFitName("name", FitName(id)).status();
      spdlog::error("{} cannot be read{}: {}", FitName(id), named.ok() ? "" : " and is not served",
                    std::string(job.status().message()));
      if (!named.ok()) continue;
      job = StandIn(id, job.status());
    }
    const std::lock_guard<std::mutex> lock(mutex_);
    jobs_.Insert(*job);
    WatchExpiry(*(*job)->fit, id);
    if (!HasEnded((*job)->fit->state())) waiting.push_back(*job);
  }
  std::sort(waiting.begin(), waiting.end(),
            [](const JobPtr& a, const JobPtr& b) { return AgeOf(*a->fit) < AgeOf(*b->fit); });
  const std::lock_guard<std::mutex> lock(mutex_);
  queue_.insert(queue_.end(), waiting.begin(), waiting.end());
  if (!jobs_.all().empty()) {
    spdlog::info("{} fits taken up from {}, {} of them to be run", jobs_.all().size(),
                 store_->directory(), queue_.size());
  }
}

void JobManager::RunnerLoop() {
  while (const JobPtr job = NextJob()) RunJob(job);
}

bool JobManager::CanBegin() const {
  // What has had a checkpoint since it began to run loses nothing by another's crash, and is not
  // blamed for it.
  return !queue_.empty() && !trial_ && (!IsLastAttempt(*queue_.front()) || unproven_ == 0);
}

JobPtr JobManager::NextJob() {
  std::unique_lock<std::mutex> lock(mutex_);
  work_.wait(lock, [this] { return stopping_ || CanBegin(); });
  if (stopping_) return nullptr;
  JobPtr job = queue_.front();
  queue_.pop_front();
  ++running_;
  ++unproven_;
  job->unproven = true;
  trial_ = IsLastAttempt(*job);
  v1::Fit* fit = job->fit.Change();
  fit->set_state(v1::Fit::STATE_RUNNING);
  *fit->mutable_start_time() = ToTimestamp(absl::Now());
  *fit->mutable_engine() = engine_;
  Touch(fit);
  return job;
}

void JobManager::RunJob(const JobPtr& job) {
  const std::string name = FitName(job->id);
  if (observer_ != nullptr) {
    const absl::Time created = FromTimestamp(job->fit->create_time());
    observer_->Started(name, std::max(absl::ZeroDuration(), absl::Now() - created));
  }
  spdlog::info("{} runs", name);
  job->events->Append(StateEvent(v1::Fit::STATE_RUNNING));
  absl::StatusOr<FitRecord> stored = Begin(*job);
  if (!stored.ok()) {
    // What cannot be read now may be read, or mended, later: it is never overwritten.
    v1::Fit fit;
    {
      std::unique_lock<std::mutex> lock(mutex_);
      ended_.wait(lock, [&] { return !job->storing; });
      job->storing = true;
      fit = *job->fit;
    }
    MarkFailed(stored.status(), &fit);
    *fit.mutable_end_time() = ToTimestamp(absl::Now());
    Touch(&fit);
    EndJob(*job, fit);
    return;
  }
  FitRecord record = RunRecord(*job, *std::move(stored));
  {
    std::unique_lock<std::mutex> lock(mutex_);
    ended_.wait(lock, [&] { return !job->storing; });
    job->storing = true;
    if (job->interrupted && !job->cancelled_for_good &&
        record.fit().state() == v1::Fit::STATE_CANCELLED) {
      // At once, so that it can be cancelled from here on as what waits is.
      v1::Fit* fit = job->fit.Change();
      fit->set_state(v1::Fit::STATE_QUEUED);
      fit->clear_start_time();
      fit->clear_engine();
      fit->clear_progress();
      Touch(fit);
      queue_.push_front(job);
      lock.unlock();
      Requeue(*job);
      return;
    }
    TakeChangeable(*job->fit, record.mutable_fit());
    TakeIdentity(*job->fit, record.mutable_fit());
    Touch(record.mutable_fit());
  }
  record.set_last_sequence(job->events->last_sequence() + 1);
  if (absl::Status status = store_->Write(job->id, record); !status.ok()) {
    spdlog::error("{} could not be stored: {}", name, std::string(status.message()));
    MarkFailed(status, record.mutable_fit());
    record.mutable_fit()->set_has_posterior(false);
    record.mutable_fit()->clear_evidence();
    record.mutable_fit()->clear_verdict();
    record.mutable_fit()->clear_r_hat();
    record.mutable_fit()->clear_score_residual();
    record.mutable_fit()->clear_restart_elbo();
  } else {
    RemoveCheckpointOf(store_, job->id);
  }
  EndJob(*job, WithoutArrays(record.fit()));
}

absl::StatusOr<FitRecord> JobManager::Begin(Job& job) {
  std::unique_lock<std::mutex> lock(mutex_);
  ended_.wait(lock, [&] { return !job.storing; });
  const Storing storing(&job, &lock, &ended_);
  const int attempts = job.attempts + 1;
  lock.unlock();
  absl::StatusOr<FitRecord> record = store_->Read(job.id);
  if (!record.ok() || attempts > kMaxAttempts) return record;
  record->set_attempts(attempts);
  // A full disk is no reason not to run: it may have room when the fit ends.
  if (const absl::Status status = store_->Write(job.id, *record); !status.ok()) {
    spdlog::warn("{} runs, and that is not stored: {}", FitName(job.id),
                 std::string(status.message()));
  }
  return record;
}

FitRecord JobManager::RunRecord(Job& job, FitRecord record) {
  *record.mutable_fit()->mutable_start_time() = job.fit->start_time();
  *record.mutable_fit()->mutable_engine() = engine_;
  record.clear_attempts();
  if (job.attempts >= kMaxAttempts) {
    MarkFailed(CrashLoop(), record.mutable_fit());
    *record.mutable_fit()->mutable_end_time() = ToTimestamp(absl::Now());
    return record;
  }
  FitControl control;
  control.cancel = &job.cancel;
  control.checkpoint_now = &job.checkpoint_now;
  control.on_checkpoint = [this, &job](const std::string& bytes) { OnCheckpoint(job, bytes); };
  control.on_progress = [this, &job](const FitProgress& progress) { OnProgress(job, progress); };
  RunStoredFit(ResumingFit(run_fit_, store_, job.id), *pool_, control, sources_, &record);
  return record;
}

void JobManager::OnCheckpoint(Job& job, const std::string& checkpoint) {
  absl::Status status = store_->WriteCheckpoint(job.id, checkpoint);
  std::unique_lock<std::mutex> lock(mutex_);
  if (status.ok() && job.unproven) {
    ended_.wait(lock, [&] { return !job.storing; });
    const Storing storing(&job, &lock, &ended_);
    lock.unlock();
    status = StoreAttempts(store_, job.id, 0);
    lock.lock();
    job.attempts = 0;
    Prove(job);
  }
  if (!status.ok()) {
    spdlog::warn("{} runs on; a checkpoint could not be stored: {}", FitName(job.id),
                 std::string(status.message()));
  }
  // The last, which Shutdown() asked for.
  if (job.interrupted) job.cancel = true;
}

void JobManager::Prove(Job& job) {
  if (!job.unproven) return;
  job.unproven = false;
  --unproven_;
  trial_ = trial_ && unproven_ > 0;
  work_.notify_all();
}

void JobManager::Requeue(Job& job) {
  const absl::Status status =
      StoreInterruption(store_, job.id, job.attempts, job.events->last_sequence() + 1);
  if (!status.ok()) {
    spdlog::error("{} could not be stored: {}", FitName(job.id), std::string(status.message()));
  }
  spdlog::info("{} is interrupted and goes on when the server is up again", FitName(job.id));
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    job.storing = false;
    --running_;
    Prove(job);
  }
  ended_.notify_all();
}

void JobManager::OnProgress(Job& job, const FitProgress& progress) {
  if (observer_ != nullptr) observer_->Progressed(FitName(job.id), progress);
  const v1::FitProgress message = ToMessage(progress);
  bool worth_an_event;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    worth_an_event = message.phase() != job.fit->progress().phase() ||
                     progress.seconds >= job.last_event_seconds + kEventSeconds;
    if (worth_an_event) job.last_event_seconds = progress.seconds;
    *job.fit.Change()->mutable_progress() = message;
    job.record.Add(message);
    if (job.unproven && absl::Now() - FromTimestamp(job.fit->start_time()) > kTrial) Prove(job);
  }
  if (!worth_an_event) return;
  v1::WatchFitResponse event = StateEvent(v1::Fit::STATE_RUNNING);
  *event.mutable_progress() = message;
  job.events->Append(std::move(event));
}

void JobManager::EndJob(Job& job, const v1::Fit& fit) {
  spdlog::info("{} {}: {}", fit.name(), StateName(fit.state()), fit.message());
  if (observer_ != nullptr) observer_->Ended(fit.name(), fit.state());
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    *job.fit.Change() = fit;
    job.record = TrainingRecord();
    job.storing = false;
    --running_;
    Prove(job);
    // Before an update can come, whose time counts.
    WatchExpiry(fit, job.id);
  }
  ended_.notify_all();
  job.events->Append(FinalEvent(fit));
}

void JobManager::Shutdown() {
  std::vector<std::thread> runners;
  {
    std::unique_lock<std::mutex> lock(mutex_);
    stopping_ = true;
    work_.notify_all();
    std::vector<JobPtr> interrupted;
    for (const auto& [id, job] : jobs_.all()) {
      if (job->fit->state() != v1::Fit::STATE_RUNNING) continue;
      job->interrupted = true;
      job->checkpoint_now = true;
      if (job->fit->target().has_remote()) {
        // Nobody will serve its density under that name again: what there is of it is its end.
        job->cancelled_for_good = true;
        job->cancel = true;
      }
      interrupted.push_back(job);
    }
    ended_.wait_for(lock, kLastCheckpoints, [this] { return running_ == 0; });
    for (const JobPtr& job : interrupted) job->cancel = true;
    runners.swap(runners_);
  }
  for (std::thread& runner : runners) runner.join();
  std::vector<std::shared_ptr<EventLog>> logs;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    for (const auto& [id, job] : jobs_.all()) logs.push_back(job->events);
  }
  for (const std::shared_ptr<EventLog>& log : logs) log->Close();
}

absl::StatusOr<std::unique_ptr<v1::Fit>> JobManager::FindRequest(const std::string& request_id,
                                                                 uint64_t fingerprint) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  absl::StatusOr<JobPtr> job = jobs_.FindRequest(request_id, fingerprint);
  if (!job.ok()) return job.status();
  if (*job == nullptr) return std::unique_ptr<v1::Fit>();
  return std::make_unique<v1::Fit>(*(*job)->fit);
}

absl::StatusOr<v1::Fit> JobManager::Create(const v1::Fit& planned, const std::string& request_id,
                                           uint64_t fingerprint) {
  const std::lock_guard<std::mutex> creation(create_mutex_);
  FitRecord record;
  auto job = std::make_shared<Job>();
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (stopping_) return ShuttingDown();
    absl::StatusOr<JobPtr> same = jobs_.FindRequest(request_id, fingerprint);
    if (!same.ok()) return same.status();
    if (*same != nullptr) return *(*same)->fit;
    if (static_cast<int>(queue_.size()) + running_ >= limits_.max_queued + limits_.max_running) {
      return QueueFull(limits_.max_queued, kRetryDelay);
    }
    do {
      job->id = NewFitId();
    } while (jobs_.Has(job->id));
    *record.mutable_fit() = planned;
    *record.mutable_fit()->mutable_create_time() = ToTimestamp(absl::FromUnixNanos(jobs_.NewAge()));
  }
  record.mutable_fit()->set_name(FitName(job->id));
  record.mutable_fit()->set_uid(NewUid());
  record.mutable_fit()->set_state(v1::Fit::STATE_QUEUED);
  Touch(record.mutable_fit());
  record.set_request_id(request_id);
  record.set_request_fingerprint(fingerprint);
  if (absl::Status status = store_->Write(job->id, record); !status.ok()) return status;
  job->request_id = request_id;
  job->fingerprint = fingerprint;
  job->fit = LiveFit(WithoutArrays(record.fit()));
  job->events = std::make_shared<EventLog>();
  job->events->Append(StateEvent(v1::Fit::STATE_QUEUED));
  v1::Fit fit = *job->fit;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    jobs_.Insert(job);
    queue_.push_back(std::move(job));
  }
  work_.notify_one();
  return fit;
}

absl::StatusOr<v1::Fit> JobManager::Get(const std::string& id) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  absl::StatusOr<JobPtr> job = jobs_.Find(id);
  if (!job.ok()) return job.status();
  return *(*job)->fit;
}

std::vector<LiveFit::Snapshot> JobManager::NextListed(int64_t position, ListOrder order) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return jobs_.List(order, position, kListedAtOnce);
}

std::vector<LiveFit::Snapshot> JobManager::List(const FitFilter& filter, ListOrder order,
                                                int64_t position, int limit) const {
  std::vector<LiveFit::Snapshot> fits;
  while (true) {
    std::vector<LiveFit::Snapshot> batch = NextListed(position, order);
    if (batch.empty()) return fits;
    position = AgeOf(*batch.back());
    for (LiveFit::Snapshot& fit : batch) {
      if (!filter.Matches(*fit)) continue;
      fits.push_back(std::move(fit));
      if (static_cast<int>(fits.size()) == limit) return fits;
    }
  }
}

absl::StatusOr<v1::Fit> JobManager::Update(const std::string& id, const std::string& etag,
                                           const FitChange& change) {
  std::unique_lock<std::mutex> lock(mutex_);
  absl::StatusOr<JobPtr> found = jobs_.Find(id);
  if (!found.ok()) return found.status();
  const JobPtr job = *found;
  ended_.wait(lock, [&] { return !job->storing; });
  if (!jobs_.Has(id)) return FitNotFound(FitName(id));
  if (absl::Status s = CheckEtag("fit.etag", etag, *job->fit); !s.ok()) return s;
  const Storing storing(job.get(), &lock, &ended_);
  const std::string before = job->fit->etag();
  v1::Fit changed = *job->fit;
  lock.unlock();
  change(&changed);
  Touch(&changed);
  if (absl::Status s = StoreChangeable(store_, id, changed); !s.ok()) return s;
  lock.lock();
  v1::Fit* fit = job->fit.Change();
  TakeChangeable(changed, fit);
  if (fit->etag() == before) {
    TakeIdentity(changed, fit);
  } else {
    Touch(fit);  // it has begun to run meanwhile
  }
  WatchExpiry(*fit, id);
  return *fit;
}

absl::Status JobManager::CancelQueued(const JobPtr& job, std::unique_lock<std::mutex>& lock) {
  v1::Fit fit = *job->fit;
  fit.set_state(v1::Fit::STATE_CANCELLED);
  fit.set_termination_reason(v1::Fit::TERMINATION_REASON_CANCELLATION);
  fit.set_message("cancelled before it began");
  *fit.mutable_end_time() = ToTimestamp(absl::Now());
  Touch(&fit);
  job->fit = LiveFit(fit);
  queue_.erase(std::find(queue_.begin(), queue_.end(), job));
  work_.notify_all();  // it may have held up those behind it
  const Storing storing(job.get(), &lock, &ended_);
  lock.unlock();
  absl::Status status = StoreEnd(store_, job->id, fit, job->events->last_sequence() + 1);
  if (status.ok()) RemoveCheckpointOf(store_, job->id);
  job->events->Append(FinalEvent(fit));
  lock.lock();
  WatchExpiry(fit, job->id);
  return status;
}

absl::StatusOr<v1::Fit> JobManager::Cancel(const std::string& id, const std::string& etag,
                                           absl::Duration patience) {
  std::unique_lock<std::mutex> lock(mutex_);
  absl::StatusOr<JobPtr> found = jobs_.Find(id);
  if (!found.ok()) return found.status();
  const JobPtr job = *found;
  // It may begin to run meanwhile; and what has ended is on disk before it is told.
  ended_.wait(lock, [&] { return job->fit->state() == v1::Fit::STATE_RUNNING || !job->storing; });
  if (!jobs_.Has(id)) return FitNotFound(FitName(id));
  if (absl::Status s = CheckEtag("etag", etag, *job->fit); !s.ok()) return s;
  if (job->fit->state() == v1::Fit::STATE_QUEUED) {
    if (absl::Status status = CancelQueued(job, lock); !status.ok()) return status;
  } else if (job->fit->state() == v1::Fit::STATE_RUNNING) {
    job->cancelled_for_good = true;
    job->cancel = true;
    ended_.wait_for(lock, absl::ToChronoMilliseconds(patience),
                    [&] { return HasEnded(job->fit->state()); });
  }
  return *job->fit;
}

absl::Status JobManager::Delete(const std::string& id, const std::string& etag) {
  return DeleteIf(id, [&](const v1::Fit& fit) { return CheckEtag("etag", etag, fit); });
}

absl::Status JobManager::DeleteIf(const std::string& id,
                                  const std::function<absl::Status(const v1::Fit&)>& check) {
  std::unique_lock<std::mutex> lock(mutex_);
  absl::StatusOr<JobPtr> found = jobs_.Find(id);
  if (!found.ok()) return found.status();
  const JobPtr job = *found;
  if (!HasEnded(job->fit->state())) {
    return FitNotReady(
        "FIT_NOT_ENDED", job->fit->name(),
        absl::StrCat("is ", StateName(job->fit->state()), "; cancel it before it is deleted"));
  }
  ended_.wait(lock, [&] { return !job->storing; });
  if (!jobs_.Has(id)) return FitNotFound(FitName(id));
  if (absl::Status s = check(*job->fit); !s.ok()) return s;
  const Storing storing(job.get(), &lock, &ended_);
  lock.unlock();
  absl::Status status = store_->Remove(id);
  lock.lock();
  if (status.ok()) {
    jobs_.Erase(*job);
    expirer_.Forget(id);
  }
  return status;
}

absl::StatusOr<std::shared_ptr<EventLog>> JobManager::Events(const std::string& id) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  absl::StatusOr<JobPtr> job = jobs_.Find(id);
  if (!job.ok()) return job.status();
  return (*job)->events;
}

absl::StatusOr<FitRecord> JobManager::Record(const std::string& id) const {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (absl::StatusOr<JobPtr> job = jobs_.Find(id); !job.ok()) return job.status();
  }
  absl::StatusOr<FitRecord> record = store_->Read(id);
  if (absl::IsNotFound(record.status())) return FitNotFound(FitName(id));
  return record;
}

absl::StatusOr<v1::TrainingHistory> JobManager::History(const std::string& id) const {
  v1::TrainingHistory history;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    absl::StatusOr<JobPtr> job = jobs_.Find(id);
    if (!job.ok()) return job.status();
    if (!HasEnded((*job)->fit->state())) {
      for (const v1::FitProgress& report : (*job)->record.reports()) {
        *history.add_reports() = report;
      }
      return history;
    }
  }
  absl::StatusOr<FitRecord> record = Record(id);
  if (!record.ok()) return record.status();
  history.mutable_reports()->Swap(record->mutable_history());
  return history;
}

std::map<v1::Fit::State, int> JobManager::CountByState() const {
  std::map<v1::Fit::State, int> counts;
  const std::lock_guard<std::mutex> lock(mutex_);
  for (const auto& [id, job] : jobs_.all()) ++counts[job->fit->state()];
  return counts;
}

}  // namespace aisivi::server
