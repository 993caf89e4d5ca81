#include "server/jobs/job_manager.h"

#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <memory>
#include <new>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/convert/progress.h"
#include "server/jobs/fit_name.h"
#include "server/jobs/fit_plan.h"
#include "tests/engine/allocations.h"
#include "tests/server/fake_fit.h"
#include "tests/server/temporary_directory.h"

namespace aisivi::server {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;
using ::testing::StartsWith;
using ::testing::UnorderedElementsAre;

constexpr absl::Duration kGenerous = absl::Seconds(60);

v1::Fit Planned(uint64_t seed = 1) {
  v1::Fit request;
  request.mutable_target()->mutable_gaussian()->add_mean(0);
  v1::Matrix* covariance = request.mutable_target()->mutable_gaussian()->mutable_covariance();
  covariance->set_rows(1);
  covariance->set_columns(1);
  covariance->add_values(2);
  request.set_seed(seed);
  return PlanFit(request)->fit;
}

class JobManagerTest : public ::testing::Test {
 protected:
  JobManagerTest() { Open({1, 2}); }

  // A new server on the same directory.
  void Open(const JobLimits& limits) {
    manager_.reset();
    store_.reset();
    fake_ = std::make_unique<FakeFit>();
    store_ = *FitStore::Open(directory_.path());
    manager_ =
        std::make_unique<JobManager>(limits, fake_->Function(), &pool_, store_.get(), nullptr);
    manager_->Recover();
  }

  // A new server on what the disk would hold if this one died now.
  void Crash(const JobLimits& limits = {1, 2}) {
    const std::string fits = directory_.path() + "/fits", kept = directory_.path() + "/kept";
    std::filesystem::copy(fits, kept, std::filesystem::copy_options::recursive);
    manager_.reset();
    std::filesystem::remove_all(fits);
    std::filesystem::rename(kept, fits);
    Open(limits);
  }

  std::string Create(uint64_t seed = 1, const std::string& request_id = "") {
    const absl::StatusOr<v1::Fit> fit =
        manager_->Create(Planned(seed), request_id, RequestFingerprint(Planned(seed)));
    EXPECT_TRUE(fit.ok()) << fit.status();
    return *ParseFitName("name", fit->name());
  }

  std::string PathOf(const std::string& id) {
    return absl::StrCat(directory_.path(), "/fits/", id, ".fit");
  }

  std::string CheckpointOf(const std::string& id) {
    return absl::StrCat(directory_.path(), "/fits/", id, ".checkpoint");
  }

  v1::Fit::State StateOf(const std::string& id) { return manager_->Get(id)->state(); }

  // Reads the events of a fit until its last.
  v1::Fit AwaitEnd(const std::string& id) {
    const std::shared_ptr<EventLog> log = *manager_->Events(id);
    int64_t cursor = log->StartCursor(0);
    while (true) {
      const EventLog::Event event = log->Next(cursor);
      if (event == nullptr) {
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
        continue;
      }
      if (event->has_fit()) return event->fit();
      cursor = event->sequence();
    }
  }

  TemporaryDirectory directory_;
  ThreadPool pool_{1};
  std::unique_ptr<FakeFit> fake_;
  std::unique_ptr<FitStore> store_;
  std::unique_ptr<JobManager> manager_;
};

TEST_F(JobManagerTest, RunsFitsInOrderAndKeepsTheirResults) {
  const std::string a = Create(11), b = Create(12);
  EXPECT_EQ(StateOf(a), v1::Fit::STATE_QUEUED);
  manager_->Start();
  fake_->AwaitStarted(1);
  EXPECT_EQ(StateOf(a), v1::Fit::STATE_RUNNING);
  EXPECT_EQ(StateOf(b), v1::Fit::STATE_QUEUED);
  fake_->Release();
  const v1::Fit done = AwaitEnd(a);
  EXPECT_EQ(done.state(), v1::Fit::STATE_SUCCEEDED);
  EXPECT_EQ(done.termination_reason(), v1::Fit::TERMINATION_REASON_ITERATION_LIMIT);
  EXPECT_EQ(done.progress().iteration(), 7);
  EXPECT_THAT(done.log(), ElementsAre("a fake"));
  EXPECT_TRUE(done.has_start_time() && done.has_end_time());
  EXPECT_EQ(done.target().gaussian().mean_size(), 0) << "events carry no arrays";
  EXPECT_EQ(AwaitEnd(b).state(), v1::Fit::STATE_SUCCEEDED);
  EXPECT_THAT(fake_->Seeds(), ElementsAre(11, 12));
  EXPECT_EQ(manager_->History(a)->reports_size(), 2);
  EXPECT_EQ(manager_->Record(a)->fit().target().gaussian().covariance().values(0), 2);
}

TEST_F(JobManagerTest, FullQueueRefuses) {
  for (int i = 0; i < 3; ++i) Create();
  const absl::Status status = manager_->Create(Planned(), "", 0).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(store_->Ids().size(), 3u);
  ASSERT_TRUE(
      manager_
          ->Cancel(
              *ParseFitName("name", manager_->List({}, ListOrder::kNewestFirst, 0, 1)[0]->name()),
              "", kGenerous)
          .ok());
  Create();
}

TEST_F(JobManagerTest, ErrorsOfTheFitAreItsEnd) {
  manager_->Start();
  fake_->Release(absl::FailedPreconditionError("no finite log density was found"));
  const v1::Fit fit = AwaitEnd(Create());
  EXPECT_EQ(fit.state(), v1::Fit::STATE_FAILED);
  EXPECT_EQ(fit.error().code(), static_cast<int>(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(fit.message(), HasSubstr("no finite log density"));
  EXPECT_FALSE(fit.has_posterior());
}

TEST_F(JobManagerTest, ExceptionsOfTheFitAreItsEnd) {
  manager_ = std::make_unique<JobManager>(
      JobLimits(),
      [](const Target&, const FitOptions&, ThreadPool&, const FitControl&)
          -> absl::StatusOr<FitResult> { throw std::runtime_error("out of luck"); },
      &pool_, store_.get(), nullptr);
  manager_->Start();
  const v1::Fit fit = AwaitEnd(Create());
  EXPECT_EQ(fit.state(), v1::Fit::STATE_FAILED);
  EXPECT_THAT(fit.message(), HasSubstr("out of luck"));
}

TEST_F(JobManagerTest, RunningFitCanBeCancelled) {
  manager_->Start();
  const std::string id = Create();
  fake_->AwaitStarted(1);
  const absl::StatusOr<v1::Fit> fit = manager_->Cancel(id, "", kGenerous);
  ASSERT_TRUE(fit.ok()) << fit.status();
  EXPECT_EQ(fit->state(), v1::Fit::STATE_CANCELLED);
  EXPECT_EQ(fit->termination_reason(), v1::Fit::TERMINATION_REASON_CANCELLATION);
  EXPECT_EQ(manager_->Cancel(id, "", kGenerous)->state(), v1::Fit::STATE_CANCELLED);
  EXPECT_EQ(store_->Read(id)->fit().state(), v1::Fit::STATE_CANCELLED);
}

TEST_F(JobManagerTest, QueuedFitCanBeCancelledAndNeverRuns) {
  const std::string a = Create(1), b = Create(2);
  EXPECT_EQ(manager_->Cancel(a, "", kGenerous)->state(), v1::Fit::STATE_CANCELLED);
  EXPECT_EQ(AwaitEnd(a).state(), v1::Fit::STATE_CANCELLED);
  EXPECT_EQ(store_->Read(a)->fit().state(), v1::Fit::STATE_CANCELLED);
  manager_->Start();
  fake_->Release();
  AwaitEnd(b);
  EXPECT_THAT(fake_->Seeds(), ElementsAre(2));
}

TEST_F(JobManagerTest, EveryAnswerToACancellationIsOnDisk) {
  for (int round = 0; round < 20; ++round) {
    const std::string id = Create();
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] {
        ASSERT_TRUE(manager_->Cancel(id, "", kGenerous).ok());
        EXPECT_EQ(store_->Read(id)->fit().state(), v1::Fit::STATE_CANCELLED);
      });
    }
    for (std::thread& thread : threads) thread.join();
  }
}

TEST_F(JobManagerTest, AnUpdateThatThrowsLeavesTheFitToOthers) {
  const std::string id = Create();
  EXPECT_THROW((void)manager_->Update(id, "", [](v1::Fit*) { throw std::bad_alloc(); }),
               std::bad_alloc);
  const absl::StatusOr<v1::Fit> updated =
      manager_->Update(id, "", [](v1::Fit* fit) { fit->set_display_name("later"); });
  ASSERT_TRUE(updated.ok()) << updated.status();
  EXPECT_EQ(updated->display_name(), "later");
  EXPECT_EQ(manager_->Cancel(id, "", kGenerous)->state(), v1::Fit::STATE_CANCELLED);
  EXPECT_TRUE(manager_->Delete(id, "").ok());
}

TEST_F(JobManagerTest, OnlyEndedFitsAreDeletedAndWholly) {
  manager_->Start();
  const std::string a = Create(), b = Create();
  fake_->AwaitStarted(1);
  EXPECT_EQ(manager_->Delete(a, "").code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(manager_->Delete(b, "").code(), absl::StatusCode::kFailedPrecondition);
  fake_->Release();
  AwaitEnd(a);
  EXPECT_TRUE(manager_->Delete(a, "").ok());
  EXPECT_EQ(manager_->Delete(a, "").code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(manager_->Get(a).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(manager_->Cancel(a, "", kGenerous).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(manager_->Events(a).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(manager_->History(a).status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(store_->Ids(), ElementsAre(b));
}

TEST_F(JobManagerTest, RequestIdMakesRepetitionHarmless) {
  const std::string a = Create(1, "same");
  EXPECT_EQ(Create(1, "same"), a);
  EXPECT_NE(Create(1, "other"), a);
  const absl::Status status =
      manager_->Create(Planned(2), "same", RequestFingerprint(Planned(2))).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("request_id: "));
  Open({1, 2});
  EXPECT_EQ(Create(1, "same"), a) << "also after a restart";
}

TEST_F(JobManagerTest, ManyRequestsAtOnceCreateOneFit) {
  std::vector<std::thread> threads;
  std::vector<std::string> ids(8);
  for (int i = 0; i < 8; ++i) threads.emplace_back([&, i] { ids[i] = Create(1, "same"); });
  for (std::thread& thread : threads) thread.join();
  for (const std::string& id : ids) EXPECT_EQ(id, ids[0]);
  EXPECT_EQ(store_->Ids().size(), 1u);
}

TEST_F(JobManagerTest, EndedFitsAreServedAfterARestartAndOthersRunAgain) {
  manager_->Start();
  const std::string ended = Create(1);
  fake_->Release();
  AwaitEnd(ended);
  Open({1, 2});
  const std::string first = Create(2), second = Create(3);
  Open({1, 2});
  EXPECT_EQ(StateOf(ended), v1::Fit::STATE_SUCCEEDED);
  EXPECT_EQ(AwaitEnd(ended).name(), FitName(ended));
  EXPECT_EQ(manager_->History(ended)->reports_size(), 2);
  EXPECT_EQ(StateOf(first), v1::Fit::STATE_QUEUED);
  fake_->Release();
  manager_->Start();
  AwaitEnd(second);
  EXPECT_THAT(fake_->Seeds(), ElementsAre(2, 3));
}

TEST_F(JobManagerTest, AFitThatRanWhenTheServerDiedRunsAgain) {
  manager_->Start();
  const std::string id = Create(5);
  fake_->AwaitStarted(1);
  // What the disk holds at this moment is what a crash would leave.
  const std::string file = directory_.path() + "/fits/" + id + ".fit";
  const std::string kept = directory_.path() + "/kept";
  std::filesystem::copy_file(file, kept);
  ASSERT_TRUE(manager_->Cancel(id, "", kGenerous).ok());
  manager_->Shutdown();
  std::filesystem::rename(kept, file);
  Open({1, 2});
  EXPECT_EQ(StateOf(id), v1::Fit::STATE_QUEUED);
  fake_->Release();
  manager_->Start();
  EXPECT_EQ(AwaitEnd(id).state(), v1::Fit::STATE_SUCCEEDED);
  EXPECT_THAT(fake_->Seeds(), ElementsAre(5));
}

std::string Bytes(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

void Overwrite(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

TEST_F(JobManagerTest, DamagedFilesAreShownAsFailedAndLeftAlone) {
  const std::string a = Create(1), b = Create(2), c = Create(3);
  manager_.reset();
  Overwrite(PathOf(a), Bytes(PathOf(a)) + "x");
  Overwrite(PathOf(b), Bytes(PathOf(b)).substr(0, 30));
  const std::string longer = Bytes(PathOf(a)), shorter = Bytes(PathOf(b));
  Open({1, 2});
  for (const std::string& id : {a, b}) {
    EXPECT_EQ(StateOf(id), v1::Fit::STATE_FAILED);
    EXPECT_EQ(manager_->Get(id)->error().code(), static_cast<int>(absl::StatusCode::kDataLoss));
    EXPECT_THAT(manager_->Get(id)->message(), HasSubstr("damaged"));
    EXPECT_TRUE(absl::IsDataLoss(manager_->Record(id).status()));
    EXPECT_EQ(AwaitEnd(id).state(), v1::Fit::STATE_FAILED);
  }
  EXPECT_EQ(StateOf(c), v1::Fit::STATE_QUEUED);
  EXPECT_EQ(manager_->List({}, ListOrder::kNewestFirst, 0, 9).size(), 3u);
  fake_->Release();
  manager_->Start();
  EXPECT_EQ(AwaitEnd(c).state(), v1::Fit::STATE_SUCCEEDED);
  EXPECT_EQ(Bytes(PathOf(a)), longer);
  EXPECT_EQ(Bytes(PathOf(b)), shorter);
  EXPECT_TRUE(manager_->Delete(a, "").ok()) << "when that is asked for";
  EXPECT_FALSE(std::filesystem::exists(PathOf(a)));
}

TEST_F(JobManagerTest, DamagedFilesOfAnyTimeAreListedOnce) {
  const std::string a = Create(1), b = Create(2), c = Create(3);
  manager_.reset();
  const absl::Time times[] = {absl::UnixEpoch(), absl::UnixEpoch() - absl::Hours(1)};
  for (int i = 0; i < 2; ++i) {
    const std::string path = PathOf(i == 0 ? a : b);
    Overwrite(path, "no fit");
    std::filesystem::last_write_time(
        path, std::chrono::file_clock::from_sys(absl::ToChronoTime(times[i])));
  }
  Open({1, 2});
  for (const ListOrder order : {ListOrder::kNewestFirst, ListOrder::kOldestFirst}) {
    std::vector<std::string> names;
    int64_t position = 0;
    for (int page = 0; page < 4; ++page) {
      for (const LiveFit::Snapshot& fit : manager_->List({}, order, position, 1)) {
        names.push_back(fit->name());
        position = JobManager::Age(*fit);
        EXPECT_GT(position, 0) << "no page begins there";
      }
    }
    EXPECT_THAT(names, UnorderedElementsAre(FitName(a), FitName(b), FitName(c)));
  }
}

TEST_F(JobManagerTest, ARecordThatCannotBeReadWhenItsTurnComesIsNotOverwritten) {
  const std::string a = Create(1), b = Create(2);
  Overwrite(PathOf(a), Bytes(PathOf(a)).substr(0, 40));
  std::string corrupted = Bytes(PathOf(b));
  corrupted.back() = static_cast<char>(corrupted.back() ^ 1);
  Overwrite(PathOf(b), corrupted);
  const std::string truncated = Bytes(PathOf(a));
  fake_->Release();
  manager_->Start();
  for (const std::string& id : {a, b}) {
    const v1::Fit fit = AwaitEnd(id);
    EXPECT_EQ(fit.state(), v1::Fit::STATE_FAILED);
    EXPECT_EQ(fit.error().code(), static_cast<int>(absl::StatusCode::kDataLoss));
    EXPECT_TRUE(fit.has_target()) << "what is known of it is still shown";
  }
  EXPECT_THAT(fake_->Seeds(), ElementsAre());
  EXPECT_EQ(Bytes(PathOf(a)), truncated);
  EXPECT_EQ(Bytes(PathOf(b)), corrupted);
}

TEST_F(JobManagerTest, AFitThatCannotBeReadEndsWhenNothingWritesItsFile) {
  const std::string id = Create();
  const absl::Status updated = manager_
                                   ->Update(id, "",
                                            [&](v1::Fit*) {
                                              Overwrite(PathOf(id), "no fit");
                                              manager_->Start();
                                              while (StateOf(id) == v1::Fit::STATE_QUEUED) {
                                                absl::SleepFor(absl::Milliseconds(1));
                                              }
                                              absl::SleepFor(absl::Milliseconds(100));
                                              EXPECT_EQ(StateOf(id), v1::Fit::STATE_RUNNING);
                                            })
                                   .status();
  EXPECT_TRUE(absl::IsDataLoss(updated)) << updated;
  EXPECT_EQ(AwaitEnd(id).state(), v1::Fit::STATE_FAILED);
  EXPECT_TRUE(manager_->Delete(id, "").ok());
}

TEST_F(JobManagerTest, AResultThatCannotBeStoredIsAFailure) {
  manager_->Start();
  const std::string id = Create();
  fake_->AwaitStarted(1);
  std::filesystem::remove_all(directory_.path() + "/fits");
  fake_->Release();
  const v1::Fit fit = AwaitEnd(id);
  EXPECT_EQ(fit.state(), v1::Fit::STATE_FAILED);
  EXPECT_THAT(fit.message(), HasSubstr("cannot create"));
  EXPECT_FALSE(manager_->Create(Planned(), "", 0).ok()) << "nor is a fit that cannot be stored";
  EXPECT_EQ(manager_->List({}, ListOrder::kNewestFirst, 0, 9).size(), 1u);
}

TEST_F(JobManagerTest, AnUpdateThatIsOnItsWayWhenAFitExpiresCounts) {
  manager_->Start();
  fake_->Release();
  const std::string id = Create();
  AwaitEnd(id);
  const absl::Time time = absl::Now() + absl::Milliseconds(50);
  ASSERT_TRUE(
      manager_
          ->Update(id, "", [&](v1::Fit* fit) { *fit->mutable_expire_time() = ToTimestamp(time); })
          .ok());
  const absl::StatusOr<v1::Fit> updated = manager_->Update(id, "", [&](v1::Fit* fit) {
    // The time comes, and its deletion waits for this.
    absl::SleepFor(time - absl::Now() + absl::Milliseconds(100));
    fit->clear_expire_time();
  });
  ASSERT_TRUE(updated.ok()) << updated.status();
  // Waits for a deletion that is being made.
  manager_.reset();
  EXPECT_TRUE(store_->Read(id).ok()) << "its update was acknowledged";
}

TEST_F(JobManagerTest, ATimeThatIsSetAsSoonAsAFitHasEndedIsWatched) {
  const std::string id = Create();
  const std::shared_ptr<EventLog> log = *manager_->Events(id);
  const absl::Time time = absl::Now() + absl::Seconds(1);
  std::atomic<bool> updated{false};
  // Listeners hear the last event before the end of the fit is all done.
  const int64_t listener = log->AddListener([&] {
    if (StateOf(id) != v1::Fit::STATE_SUCCEEDED) return;
    updated =
        manager_
            ->Update(id, "", [&](v1::Fit* fit) { *fit->mutable_expire_time() = ToTimestamp(time); })
            .ok();
  });
  fake_->Release();
  manager_->Start();
  const absl::Time late = time + kGenerous;
  while (!updated && absl::Now() < late) absl::SleepFor(absl::Milliseconds(1));
  log->RemoveListener(listener);
  ASSERT_TRUE(updated);
  while (manager_->Get(id).ok() && absl::Now() < late) absl::SleepFor(absl::Milliseconds(5));
  EXPECT_EQ(manager_->Get(id).status().code(), absl::StatusCode::kNotFound);
}

TEST_F(JobManagerTest, ShutdownInterruptsWhatRunsAndKeepsWhatWaits) {
  manager_->Start();
  const std::string a = Create(1), b = Create(2);
  fake_->AwaitStarted(1);
  const std::shared_ptr<EventLog> running = *manager_->Events(a), waiting = *manager_->Events(b);
  manager_->Shutdown();
  EXPECT_EQ(StateOf(a), v1::Fit::STATE_QUEUED);
  EXPECT_EQ(StateOf(b), v1::Fit::STATE_QUEUED);
  EXPECT_TRUE(running->closed());
  EXPECT_TRUE(waiting->closed());
  EXPECT_EQ(running->Next(running->last_sequence() - 1)->state(), v1::Fit::STATE_RUNNING);
  EXPECT_EQ(manager_->Create(Planned(), "", 0).status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(*store_->ReadCheckpoint(a), "asked for");
  EXPECT_TRUE(absl::IsNotFound(store_->ReadCheckpoint(b).status()));
  const int64_t seen = running->last_sequence();
  Open({1, 2});
  EXPECT_EQ(StateOf(a), v1::Fit::STATE_QUEUED);
  EXPECT_EQ(StateOf(b), v1::Fit::STATE_QUEUED);
  EXPECT_EQ((*manager_->Events(a))->last_sequence(), seen + 1) << "watchers go on, too";
  fake_->Release();
  manager_->Start();
  EXPECT_EQ(AwaitEnd(a).state(), v1::Fit::STATE_SUCCEEDED);
  EXPECT_EQ(AwaitEnd(b).state(), v1::Fit::STATE_SUCCEEDED);
  EXPECT_THAT(fake_->Resumed(), ElementsAre("asked for", ""));
}

TEST_F(JobManagerTest, WhatWasCancelledBeforeAShutdownStaysSo) {
  std::atomic<bool> started{false};
  manager_ = std::make_unique<JobManager>(
      JobLimits(),
      [&](const Target&, const FitOptions&, ThreadPool&,
          const FitControl& control) -> absl::StatusOr<FitResult> {
        started = true;
        while (!control.checkpoint_now->load()) absl::SleepFor(absl::Milliseconds(1));
        FitResult slow_to_end;
        slow_to_end.reason = TerminationReason::kCancelled;
        return slow_to_end;
      },
      &pool_, store_.get(), nullptr);
  manager_->Start();
  const std::string id = Create();
  while (!started) absl::SleepFor(absl::Milliseconds(1));
  ASSERT_EQ(manager_->Cancel(id, "", absl::ZeroDuration())->state(), v1::Fit::STATE_RUNNING);
  manager_->Shutdown();
  EXPECT_EQ(StateOf(id), v1::Fit::STATE_CANCELLED);
  Open({1, 2});
  EXPECT_EQ(StateOf(id), v1::Fit::STATE_CANCELLED);
}

TEST_F(JobManagerTest, WhatAShutdownInterruptedCanBeCancelled) {
  manager_->Start();
  const std::string id = Create();
  fake_->AwaitStarted(1);
  manager_->Shutdown();
  ASSERT_TRUE(store_->ReadCheckpoint(id).ok());
  EXPECT_EQ(manager_->Cancel(id, "", kGenerous)->state(), v1::Fit::STATE_CANCELLED);
  EXPECT_TRUE(absl::IsNotFound(store_->ReadCheckpoint(id).status()));
  Open({1, 2});
  EXPECT_EQ(StateOf(id), v1::Fit::STATE_CANCELLED);
}

TEST_F(JobManagerTest, AfterACrashAFitGoesOnFromItsLastCheckpoint) {
  manager_->Start();
  const std::string id = Create();
  fake_->AwaitStarted(1);
  fake_->Checkpoint("first");
  fake_->Checkpoint("second");
  Crash();
  manager_->Start();
  fake_->AwaitStarted(1);
  EXPECT_THAT(fake_->Resumed(), ElementsAre("second"));
  fake_->Release();
  EXPECT_EQ(AwaitEnd(id).state(), v1::Fit::STATE_SUCCEEDED);
  EXPECT_FALSE(std::filesystem::exists(CheckpointOf(id)));
}

TEST_F(JobManagerTest, ACheckpointOfAFitThatHadEndedIsRemoved) {
  const std::string id = Create();
  ASSERT_EQ(manager_->Cancel(id, "", kGenerous)->state(), v1::Fit::STATE_CANCELLED);
  ASSERT_TRUE(store_->WriteCheckpoint(id, "late").ok());
  Open({1, 2});
  EXPECT_FALSE(std::filesystem::exists(CheckpointOf(id)));
}

TEST_F(JobManagerTest, ARefusedCheckpointIsRemovedAndTheFitBeginsAnew) {
  for (const absl::Status& refusal : {absl::DataLossError("checkpoint: damaged"),
                                      absl::FailedPreconditionError("checkpoint: of yesterday")}) {
    Open({1, 2});
    const std::string id = Create();
    ASSERT_TRUE(store_->WriteCheckpoint(id, "bad").ok());
    fake_->Refuse(refusal);
    manager_->Start();
    fake_->AwaitStarted(1);
    EXPECT_THAT(fake_->Resumed(), ElementsAre(""));
    EXPECT_FALSE(std::filesystem::exists(CheckpointOf(id)));
    fake_->Release();
    const v1::Fit fit = AwaitEnd(id);
    EXPECT_EQ(fit.state(), v1::Fit::STATE_SUCCEEDED);
    EXPECT_THAT(fit.log(), ElementsAre(HasSubstr(std::string(refusal.message())), "a fake"));
  }
}

TEST_F(JobManagerTest, OtherErrorsOfAFitThatGoesOnAreItsEnd) {
  const std::string id = Create();
  ASSERT_TRUE(store_->WriteCheckpoint(id, "good").ok());
  fake_->Refuse(absl::FailedPreconditionError("no finite log density was found"));
  manager_->Start();
  EXPECT_EQ(AwaitEnd(id).state(), v1::Fit::STATE_FAILED);
  EXPECT_THAT(fake_->Seeds(), ElementsAre());
}

TEST_F(JobManagerTest, ACheckpointThatCannotBeStoredDoesNoHarm) {
  manager_->Start();
  const std::string id = Create();
  fake_->AwaitStarted(1);
  std::filesystem::create_directories(CheckpointOf(id) + "/in_its_place");
  fake_->Checkpoint("lost");
  EXPECT_EQ(store_->Read(id)->attempts(), 1) << "as if there had been none";
  fake_->Release();
  EXPECT_EQ(AwaitEnd(id).state(), v1::Fit::STATE_SUCCEEDED);
}

TEST_F(JobManagerTest, AFitThatTheServerDiesOfIsNotRunForEver) {
  const std::string id = Create();
  for (int i = 0; i < JobManager::kMaxAttempts; ++i) {
    manager_->Start();
    fake_->AwaitStarted(1);
    Crash();
    EXPECT_EQ(StateOf(id), v1::Fit::STATE_QUEUED);
  }
  manager_->Start();
  const v1::Fit fit = AwaitEnd(id);
  EXPECT_EQ(fit.state(), v1::Fit::STATE_FAILED);
  EXPECT_THAT(fit.message(), StartsWith("CRASH_LOOP: "));
  EXPECT_THAT(fake_->Seeds(), ElementsAre());
  EXPECT_EQ(store_->Read(id)->fit().state(), v1::Fit::STATE_FAILED);
  fake_->Release();
  EXPECT_EQ(AwaitEnd(Create()).state(), v1::Fit::STATE_SUCCEEDED);
}

TEST_F(JobManagerTest, CrashesCountUntilTheNextCheckpointAndShutdownsNever) {
  const std::string id = Create();
  for (int crashes = 1; crashes < JobManager::kMaxAttempts; ++crashes) {
    manager_->Start();
    fake_->AwaitStarted(1);
    EXPECT_EQ(store_->Read(id)->attempts(), crashes);
    Crash();
  }
  // No checkpoint can be stored.
  std::filesystem::create_directories(CheckpointOf(id) + "/in_its_place");
  manager_->Start();
  while (store_->Read(id)->attempts() < JobManager::kMaxAttempts) {
    absl::SleepFor(absl::Milliseconds(1));
  }
  manager_->Shutdown();
  EXPECT_EQ(store_->Read(id)->attempts(), JobManager::kMaxAttempts - 1);
  std::filesystem::remove_all(CheckpointOf(id));
  Open({1, 2});
  manager_->Start();
  fake_->AwaitStarted(1);
  fake_->Checkpoint("progress");
  EXPECT_EQ(store_->Read(id)->attempts(), 0);
  Crash();
  EXPECT_EQ(StateOf(id), v1::Fit::STATE_QUEUED);
  EXPECT_EQ(store_->Read(id)->attempts(), 0);
}

TEST_F(JobManagerTest, NoFitIsBlamedForTheCrashesOfAnother) {
  Open({2, 2});
  const std::string innocent = Create(1), guilty = Create(2);
  for (int crashes = 1; crashes < JobManager::kMaxAttempts; ++crashes) {
    manager_->Start();
    fake_->AwaitStarted(2);
    Crash({2, 2});
  }
  manager_->Start();
  fake_->AwaitStarted(1);
  absl::SleepFor(absl::Milliseconds(50));
  EXPECT_THAT(fake_->Seeds(), ElementsAre(1)) << "alone";
  fake_->Checkpoint("progress");
  fake_->AwaitStarted(2);
  Crash({2, 2});
  manager_->Start();
  EXPECT_THAT(AwaitEnd(guilty).message(), StartsWith("CRASH_LOOP: "));
  fake_->AwaitStarted(1);
  EXPECT_THAT(fake_->Resumed(), ElementsAre("progress"));
  fake_->Release();
  EXPECT_EQ(AwaitEnd(innocent).state(), v1::Fit::STATE_SUCCEEDED);
}

TEST_F(JobManagerTest, ListsNewestFirstInPages) {
  const std::string a = Create(1), b = Create(2), c = Create(3);
  const std::vector<LiveFit::Snapshot> first = manager_->List({}, ListOrder::kNewestFirst, 0, 2);
  ASSERT_EQ(first.size(), 2u);
  EXPECT_EQ(first[0]->name(), FitName(c));
  EXPECT_EQ(first[1]->name(), FitName(b));
  const std::vector<LiveFit::Snapshot> second =
      manager_->List({}, ListOrder::kNewestFirst, JobManager::Age(*first[1]), 2);
  ASSERT_EQ(second.size(), 1u);
  EXPECT_EQ(second[0]->name(), FitName(a));
  ASSERT_TRUE(manager_->Cancel(b, "", kGenerous).ok());
  EXPECT_EQ(
      manager_->List(*FitFilter::Parse("state=CANCELLED"), ListOrder::kNewestFirst, 0, 9).size(),
      1u);
  EXPECT_THAT(manager_->CountByState(), UnorderedElementsAre(Pair(v1::Fit::STATE_QUEUED, 2),
                                                             Pair(v1::Fit::STATE_CANCELLED, 1)));
}

TEST_F(JobManagerTest, AListCopiesNothingThatItLeavesOut) {
  constexpr int kFits = 64;
  Open({1, kFits});
  v1::Fit request;
  request.mutable_target()->mutable_conditioned_diffusion()->set_steps(4000);
  const v1::Fit planned = PlanFit(request)->fit;
  ASSERT_EQ(planned.coordinate_names_size(), 4000);
  for (int i = 0; i < kFits; ++i) ASSERT_TRUE(manager_->Create(planned, "", 0).ok());
  aisivi::test::ResetPeak();
  const int64_t before = aisivi::test::BytesInUse();
  const std::vector<LiveFit::Snapshot> listed =
      manager_->List({}, ListOrder::kNewestFirst, 0, 1000);
  if (aisivi::test::CountsAllocations()) {
    // The names of one fit are 160 kB in memory; of all, 10 MB.
    EXPECT_LT(aisivi::test::PeakBytes() - before, kFits * 10'000);
  }
  ASSERT_EQ(listed.size(), size_t{kFits});
  EXPECT_EQ(listed[0]->coordinate_names_size(), 0);
  EXPECT_EQ(planned.variables_size(), 1);
  EXPECT_EQ(listed[0]->variables_size(), 0);
  EXPECT_EQ(listed[0]->dimension(), 4000);
  EXPECT_EQ(manager_->Get(*ParseFitName("name", listed[0]->name()))->coordinate_names_size(), 4000);
}

TEST_F(JobManagerTest, AListFindsAFewAmongMany) {
  Open({1, 600});
  const std::string oldest = Create(1);
  for (int i = 0; i < 300; ++i) Create(2);
  ASSERT_TRUE(manager_->Cancel(oldest, "", kGenerous).ok());
  const auto listed =
      manager_->List(*FitFilter::Parse("state=CANCELLED"), ListOrder::kNewestFirst, 0, 9);
  ASSERT_EQ(listed.size(), 1u);
  EXPECT_EQ(listed[0]->name(), FitName(oldest));
}

TEST_F(JobManagerTest, ProgressReachesEventsAndTheFit) {
  manager_->Start();
  const std::string id = Create();
  fake_->AwaitStarted(1);
  fake_->Report(FakeFit::Training(5));
  fake_->Report(FakeFit::Training(6));
  const std::shared_ptr<EventLog> log = *manager_->Events(id);
  while (log->last_sequence() < 5) std::this_thread::sleep_for(std::chrono::milliseconds(2));
  EXPECT_EQ(log->Next(4)->progress().iteration(), 6);
  EXPECT_EQ(manager_->Get(id)->progress().iteration(), 6);
  EXPECT_EQ(manager_->History(id)->reports_size(), 3);
  fake_->Release();
  AwaitEnd(id);
}

}  // namespace
}  // namespace aisivi::server
