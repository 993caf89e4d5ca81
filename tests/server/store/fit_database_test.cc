#include "server/store/fit_database.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "tests/server/temporary_directory.h"

namespace aisivi::server {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr absl::Duration kLease = absl::Seconds(30);
const absl::Time kNoon = absl::FromUnixSeconds(1'800'000'000);

v1::Fit SomeFit(const std::string& id) {
  v1::Fit fit;
  fit.set_name("fits/" + id);
  fit.mutable_target()->mutable_banana();
  return fit;
}

v1::Fit Ended(v1::Fit::State state, const std::string& id) {
  v1::Fit fit = SomeFit(id);
  fit.set_state(state);
  fit.set_has_posterior(true);
  return fit;
}

class FitDatabaseTest : public testing::Test {
 protected:
  FitDatabaseTest() { Reopen(); }

  void Reopen() {
    database_.reset();
    auto opened = FitDatabase::Open(directory_.path());
    ASSERT_TRUE(opened.ok()) << opened.status();
    database_ = *std::move(opened);
  }
  void Create(const std::string& id, const std::string& request = "") {
    const auto made = database_->Create(id, SomeFit(id), request, 1, kNoon);
    ASSERT_TRUE(made.ok()) << made.status();
  }
  FitClaim Claim(absl::Time now = kNoon) {
    auto claim = database_->Claim("worker", kLease, now);
    EXPECT_TRUE(claim.ok() && claim->has_value()) << claim.status();
    return claim.ok() && claim->has_value() ? **std::move(claim) : FitClaim();
  }
  v1::Fit::State StateOf(const std::string& id) {
    const auto stored = database_->Get(id);
    EXPECT_TRUE(stored.ok()) << stored.status();
    return stored.ok() ? stored->fit.state() : v1::Fit::STATE_UNSPECIFIED;
  }
  // With SQLite's own tool, while nobody has the database open.
  void Tamper(const std::string& sql) {
    database_.reset();
    sqlite3* raw = nullptr;
    ASSERT_EQ(sqlite3_open((directory_.path() + "/fits.db").c_str(), &raw), SQLITE_OK);
    EXPECT_EQ(sqlite3_exec(raw, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK)
        << sqlite3_errmsg(raw);
    sqlite3_close(raw);
  }

  const TemporaryDirectory directory_;
  std::unique_ptr<FitDatabase> database_;
};

TEST_F(FitDatabaseTest, ARequestMakesOneFitForAWeekEvenWhenThatIsDeleted) {
  Create("a", "r");
  const auto again = database_->Create("b", SomeFit("b"), "r", 1, kNoon + absl::Hours(1));
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->id, "a");
  EXPECT_TRUE(absl::IsNotFound(database_->Get("b").status()));
  EXPECT_TRUE(
      absl::IsInvalidArgument(database_->Create("b", SomeFit("b"), "r", 2, kNoon).status()));
  ASSERT_TRUE(database_->RequestCancel("a", kNoon).ok());
  ASSERT_TRUE(database_->Delete("a").ok());
  Reopen();
  EXPECT_TRUE(absl::IsNotFound(database_->Create("b", SomeFit("b"), "r", 1, kNoon).status()));
  const absl::Time later = kNoon + absl::Hours(24 * 8);
  ASSERT_TRUE(database_->ForgetRequests(later).ok());
  const auto anew = database_->Create("b", SomeFit("b"), "r", 2, later);
  ASSERT_TRUE(anew.ok()) << anew.status();
  EXPECT_EQ(anew->id, "b");
}

TEST_F(FitDatabaseTest, TheOldestGoesFirstAndNoneTwice) {
  for (const char* id : {"a", "b", "c"}) Create(id);
  EXPECT_EQ(Claim().stored.id, "a");
  const FitClaim b = Claim();
  EXPECT_EQ(b.stored.id, "b");
  EXPECT_EQ(b.stored.attempt, 1);
  EXPECT_EQ(b.stored.fit.state(), v1::Fit::STATE_RUNNING);
  EXPECT_EQ(b.lease_until, kNoon + kLease);
  // What is let go goes before those that have not begun.
  ASSERT_TRUE(database_->Release("b", b.stored.attempt).ok());
  const FitClaim again = Claim();
  EXPECT_EQ(again.stored.id, "b");
  EXPECT_EQ(again.stored.losses, 0);
  EXPECT_GT(again.stored.attempt, b.stored.attempt);
  EXPECT_EQ(Claim().stored.id, "c");
  const auto none = database_->Claim("worker", kLease, kNoon);
  ASSERT_TRUE(none.ok()) << none.status();
  EXPECT_FALSE(none->has_value());
}

TEST_F(FitDatabaseTest, AWorkerThatWakesPastItsLeaseIsRefused) {
  Create("a");
  const FitClaim old = Claim();
  ASSERT_TRUE(database_->SaveCheckpoint("a", old.stored.attempt, "first").ok());
  EXPECT_THAT(*database_->Reap(old.lease_until), IsEmpty());
  ASSERT_TRUE(database_->Renew("a", old.stored.attempt, kLease, old.lease_until).ok());
  EXPECT_THAT(*database_->Reap(old.lease_until + absl::Seconds(1)), IsEmpty());
  const absl::Time past = old.lease_until + kLease + absl::Nanoseconds(1);
  EXPECT_THAT(*database_->Reap(past), ElementsAre("a"));
  EXPECT_THAT(*database_->Reap(past), IsEmpty());
  const FitClaim next = Claim(past);
  EXPECT_EQ(next.stored.checkpoint, "first");
  EXPECT_EQ(next.stored.losses, 1);
  const int64_t stale = old.stored.attempt;
  EXPECT_TRUE(absl::IsAborted(database_->Renew("a", stale, kLease, past).status()));
  EXPECT_TRUE(absl::IsAborted(database_->SaveCheckpoint("a", stale, "late")));
  EXPECT_TRUE(absl::IsAborted(
      database_->Finish("a", stale, Ended(v1::Fit::STATE_SUCCEEDED, "a")).status()));
  EXPECT_TRUE(absl::IsAborted(database_->Release("a", stale)));
  EXPECT_EQ(database_->Get("a")->checkpoint, "first");
  ASSERT_TRUE(
      database_->Finish("a", next.stored.attempt, Ended(v1::Fit::STATE_SUCCEEDED, "a")).ok());
  EXPECT_EQ(StateOf("a"), v1::Fit::STATE_SUCCEEDED);
  // Nobody ends it twice, and what has ended stays as it is.
  EXPECT_TRUE(absl::IsAborted(
      database_->Finish("a", next.stored.attempt, Ended(v1::Fit::STATE_FAILED, "a")).status()));
  EXPECT_EQ(database_->RequestCancel("a", past)->fit.state(), v1::Fit::STATE_SUCCEEDED);
  EXPECT_TRUE(absl::IsFailedPrecondition(database_->Retry("a").status()));
}

TEST_F(FitDatabaseTest, AnAcknowledgedCancelIsNeverFollowedBySuccess) {
  for (const char* id : {"queued", "finishes", "dies", "let_go"}) Create(id);
  EXPECT_EQ(database_->RequestCancel("queued", kNoon)->fit.state(), v1::Fit::STATE_CANCELLED);
  std::map<std::string, int64_t> attempts;
  for (int i = 0; i < 3; ++i) {
    const FitClaim claim = Claim();
    attempts[claim.stored.id] = claim.stored.attempt;
    const auto asked = database_->RequestCancel(claim.stored.id, kNoon);
    EXPECT_EQ(asked->fit.state(), v1::Fit::STATE_RUNNING);
  }
  Reopen();
  EXPECT_TRUE(*database_->Renew("finishes", attempts["finishes"], kLease, kNoon));
  const auto end = database_->Finish("finishes", attempts["finishes"],
                                     Ended(v1::Fit::STATE_SUCCEEDED, "finishes"));
  ASSERT_TRUE(end.ok()) << end.status();
  EXPECT_EQ(end->fit.state(), v1::Fit::STATE_CANCELLED);
  EXPECT_TRUE(end->fit.has_posterior());  // its best state is kept
  ASSERT_TRUE(database_->Release("let_go", attempts["let_go"]).ok());
  EXPECT_THAT(*database_->Reap(kNoon + 2 * kLease), ElementsAre("dies"));
  for (const char* id : {"queued", "finishes", "dies", "let_go"}) {
    EXPECT_EQ(StateOf(id), v1::Fit::STATE_CANCELLED) << id;
  }
  EXPECT_FALSE(database_->Claim("worker", kLease, kNoon)->has_value());
}

TEST_F(FitDatabaseTest, ThreeLossesWithoutACheckpointAreACrashLoopUntilItIsAskedForAgain) {
  Create("a");
  absl::Time now = kNoon;
  const auto lose = [&](bool checkpoint) {
    const FitClaim claim = Claim(now);
    if (checkpoint) {
      EXPECT_TRUE(database_->SaveCheckpoint("a", claim.stored.attempt, "c").ok());
    }
    now += 2 * kLease;
    EXPECT_THAT(*database_->Reap(now), ElementsAre("a"));
  };
  lose(false);
  lose(false);
  lose(true);  // it got on: counted anew, and this loss is the first
  EXPECT_EQ(StateOf("a"), v1::Fit::STATE_QUEUED);
  lose(false);
  EXPECT_EQ(StateOf("a"), v1::Fit::STATE_QUEUED);
  lose(false);
  const auto failed = database_->Get("a");
  EXPECT_EQ(failed->fit.state(), v1::Fit::STATE_FAILED);
  EXPECT_THAT(failed->fit.message(), testing::StartsWith("CRASH_LOOP"));
  EXPECT_EQ(failed->fit.error().code(), static_cast<int>(absl::StatusCode::kInternal));
  const auto again = database_->Retry("a");
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_FALSE(again->fit.has_error());
  const FitClaim claim = Claim(now);
  EXPECT_EQ(claim.stored.losses, 0);
  EXPECT_EQ(claim.stored.checkpoint, "c");
}

TEST_F(FitDatabaseTest, ListsPageByPageByState) {
  for (int i = 0; i < 7; ++i) Create(std::to_string(i));
  Claim();
  std::vector<std::string> ids;
  int64_t after = 0;
  do {
    const auto page = database_->List(v1::Fit::STATE_QUEUED, after, 4);
    ASSERT_TRUE(page.ok()) << page.status();
    for (const StoredFit& stored : page->fits) ids.push_back(stored.id);
    after = page->next;
  } while (after != 0);
  EXPECT_THAT(ids, ElementsAre("1", "2", "3", "4", "5", "6"));
  EXPECT_EQ(database_->List(v1::Fit::STATE_UNSPECIFIED, 0, 100)->fits.size(), 7u);
}

TEST_F(FitDatabaseTest, DeletesWhatHasEnded) {
  Create("a");
  EXPECT_TRUE(absl::IsFailedPrecondition(database_->Delete("a")));
  Claim();
  EXPECT_TRUE(absl::IsFailedPrecondition(database_->Delete("a")));
  ASSERT_TRUE(database_->Finish("a", 1, Ended(v1::Fit::STATE_FAILED, "a")).ok());
  EXPECT_TRUE(database_->Delete("a").ok());
  EXPECT_TRUE(absl::IsNotFound(database_->Delete("a")));
  EXPECT_TRUE(absl::IsNotFound(database_->Get("a").status()));
  EXPECT_TRUE(absl::IsInvalidArgument(
      database_->Finish("a", 1, Ended(v1::Fit::STATE_QUEUED, "a")).status()));
}

TEST_F(FitDatabaseTest, ADamagedRecordIsFailedLeftAloneAndHoldsUpNobody) {
  for (const char* id : {"first", "runs", "last"}) Create(id);
  ASSERT_EQ(Claim().stored.id, "first");
  ASSERT_TRUE(database_->Release("first", 1).ok());
  Tamper("UPDATE fit SET payload = substr(payload, 1, 20) WHERE id = 'first'");
  Reopen();
  EXPECT_TRUE(absl::IsDataLoss(database_->Get("first").status()));
  const auto listed = database_->List(v1::Fit::STATE_UNSPECIFIED, 0, 10);
  ASSERT_EQ(listed->fits.size(), 3u);
  EXPECT_EQ(listed->fits[0].fit.state(), v1::Fit::STATE_FAILED);
  EXPECT_EQ(listed->fits[0].fit.error().code(), static_cast<int>(absl::StatusCode::kDataLoss));
  EXPECT_EQ(Claim().stored.id, "runs");
  Tamper("UPDATE fit SET payload = x'00' WHERE id = 'runs'");
  Reopen();
  EXPECT_THAT(*database_->Reap(kNoon + 2 * kLease), ElementsAre("runs"));
  EXPECT_EQ(Claim().stored.id, "last");
  // What is left of it has not been written over: SQL that fails otherwise.
  Tamper(
      "CREATE TEMP TABLE seen (size INTEGER CHECK (size = 20));"
      "INSERT INTO seen SELECT length(payload) FROM fit WHERE id = 'first'");
  Reopen();
  EXPECT_TRUE(absl::IsDataLoss(database_->Get("first").status()));
  EXPECT_TRUE(database_->Delete("first").ok());
  EXPECT_TRUE(database_->Delete("runs").ok());
}

TEST_F(FitDatabaseTest, WhatCannotBeOpenedSaysWhy) {
  EXPECT_FALSE(FitDatabase::Open(directory_.path()).ok());  // it is open
  Tamper("PRAGMA user_version = 99");
  EXPECT_TRUE(absl::IsFailedPrecondition(FitDatabase::Open(directory_.path()).status()));
  Tamper("PRAGMA user_version = 1");
  Reopen();
  Create("a");
  EXPECT_TRUE(database_->Check().ok());
  database_.reset();
  std::filesystem::resize_file(directory_.path() + "/fits.db", 6000);
  const auto damaged = FitDatabase::Open(directory_.path());
  EXPECT_TRUE(absl::IsDataLoss(damaged.status()) ||
              (damaged.ok() && absl::IsDataLoss((*damaged)->Check())))
      << damaged.status();
}

// What has been acknowledged before a kill is there after it, once.
TEST_F(FitDatabaseTest, AKilledProcessLosesNothingThatWasAcknowledged) {
  database_.reset();
  std::mt19937 random(1);
  std::set<std::string> created, finished;
  for (int round = 0; round < 12; ++round) {
    int pipes[2];
    ASSERT_EQ(pipe(pipes), 0);
    const pid_t child = fork();
    if (child == 0) {
      const auto database = FitDatabase::Open(directory_.path());
      if (!database.ok()) _exit(1);
      for (int i = 0;; ++i) {
        const std::string id = std::to_string(round) + "_" + std::to_string(i);
        if (!(*database)->Create(id, SomeFit(id), id, 1, kNoon).ok()) _exit(2);
        const std::string made = "c" + id + "\n";
        if (write(pipes[1], made.data(), made.size()) < 0) _exit(3);
        const auto claim = (*database)->Claim("w", kLease, kNoon);
        if (!claim.ok() || !claim->has_value()) _exit(4);
        const StoredFit& held = (*claim)->stored;
        const auto end =
            (*database)->Finish(held.id, held.attempt, Ended(v1::Fit::STATE_SUCCEEDED, held.id));
        if (!end.ok()) _exit(5);
        const std::string done = "f" + held.id + "\n";
        if (write(pipes[1], done.data(), done.size()) < 0) _exit(6);
      }
    }
    ASSERT_GT(child, 0);
    close(pipes[1]);
    usleep(std::uniform_int_distribution<useconds_t>(20'000, 120'000)(random));
    kill(child, SIGKILL);
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status)) << "ended by itself with " << WEXITSTATUS(status);
    std::string told;
    char buffer[4096];
    for (ssize_t n; (n = read(pipes[0], buffer, sizeof buffer)) > 0;) told.append(buffer, n);
    close(pipes[0]);
    for (size_t at = 0, end; (end = told.find('\n', at)) != std::string::npos; at = end + 1) {
      (told[at] == 'c' ? created : finished).insert(told.substr(at + 1, end - at - 1));
    }
    Reopen();
    EXPECT_TRUE(database_->Check().ok());
    // Those that were running when their process was killed.
    ASSERT_TRUE(database_->Reap(kNoon + 2 * kLease).ok());
    database_.reset();
  }
  Reopen();
  EXPECT_GT(finished.size(), 12u);
  for (const std::string& id : created) EXPECT_TRUE(database_->Get(id).ok()) << id;
  for (const std::string& id : finished) EXPECT_EQ(StateOf(id), v1::Fit::STATE_SUCCEEDED) << id;
  std::set<std::string> listed;
  const auto all = database_->List(v1::Fit::STATE_UNSPECIFIED, 0, 1 << 20);
  ASSERT_TRUE(all.ok()) << all.status();
  for (const StoredFit& stored : all->fits) {
    EXPECT_TRUE(listed.insert(stored.id).second) << stored.id << " twice";
  }
}

// Random histories of workers, some of which sleep past their leases, against the invariants:
// attempts only rise, one holder at a time, an end is the end, no success after a cancel.
class Histories : public FitDatabaseTest, public testing::WithParamInterface<int> {};

TEST_P(Histories, KeepTheInvariants) {
  std::mt19937 random(static_cast<unsigned>(GetParam()));
  const auto pick = [&](size_t n) {
    return std::uniform_int_distribution<size_t>(0, n - 1)(random);
  };
  struct Worker {
    std::string id;
    int64_t attempt = 0;
  };
  std::vector<Worker> workers(4);
  std::map<std::string, int64_t> attempt;
  std::map<std::string, v1::Fit::State> end;
  std::set<std::string> cancelled;
  std::vector<std::string> ids;
  absl::Time now = kNoon;
  for (int step = 0; step < 150; ++step) {
    now += absl::Seconds(static_cast<int64_t>(pick(20)));
    Worker& worker = workers[pick(workers.size())];
    const std::string any = ids.empty() ? "" : ids[pick(ids.size())];
    const size_t what = pick(10);
    if (what < 2 || ids.empty()) {
      ids.push_back(std::to_string(ids.size()));
      ASSERT_TRUE(database_->Create(ids.back(), SomeFit(ids.back()), ids.back(), 1, now).ok());
    } else if (what < 5) {
      const auto claim = database_->Claim("w", kLease, now);
      ASSERT_TRUE(claim.ok()) << claim.status();
      if (!claim->has_value()) continue;
      const StoredFit& held = (*claim)->stored;
      ASSERT_GT(held.attempt, attempt[held.id]) << "claimed twice";
      worker = {held.id, held.attempt};
    } else if (what == 5 && !worker.id.empty()) {
      const bool holds = database_->Get(worker.id)->attempt == worker.attempt &&
                         StateOf(worker.id) == v1::Fit::STATE_RUNNING;
      EXPECT_EQ(database_->Renew(worker.id, worker.attempt, kLease, now).ok(), holds);
    } else if (what == 6 && !worker.id.empty()) {
      const auto status = database_->SaveCheckpoint(worker.id, worker.attempt, "c");
      EXPECT_TRUE(status.ok() || absl::IsAborted(status)) << status;
    } else if (what == 7 && !worker.id.empty()) {
      const auto done =
          database_->Finish(worker.id, worker.attempt, Ended(v1::Fit::STATE_SUCCEEDED, worker.id));
      EXPECT_TRUE(done.ok() || absl::IsAborted(done.status())) << done.status();
      if (done.ok() && cancelled.count(worker.id) > 0) {
        EXPECT_EQ(done->fit.state(), v1::Fit::STATE_CANCELLED);
      }
    } else if (what == 8) {
      ASSERT_TRUE(database_->Reap(now).ok());
    } else if (what == 9 && pick(2) == 0) {
      const auto asked = database_->RequestCancel(any, now);
      ASSERT_TRUE(asked.ok()) << asked.status();
      if (asked->fit.state() != v1::Fit::STATE_SUCCEEDED) cancelled.insert(any);
    }
    for (const std::string& id : ids) {
      const auto stored = database_->Get(id);
      ASSERT_TRUE(stored.ok()) << stored.status();
      EXPECT_GE(stored->attempt, attempt[id]);
      attempt[id] = stored->attempt;
      const v1::Fit::State state = stored->fit.state();
      if (end.count(id) > 0) {
        EXPECT_EQ(state, end[id]) << "an end has changed";
      }
      if (state != v1::Fit::STATE_QUEUED && state != v1::Fit::STATE_RUNNING) end[id] = state;
      if (cancelled.count(id) > 0) {
        EXPECT_NE(state, v1::Fit::STATE_SUCCEEDED);
      }
    }
  }
  EXPECT_FALSE(end.empty());
}

INSTANTIATE_TEST_SUITE_P(Seeds, Histories, testing::Range(1, 11));

}  // namespace
}  // namespace aisivi::server
