// The fits of a service and who runs them: one SQLite database, DIRECTORY/fits.db.
//
// States: QUEUED → RUNNING → SUCCEEDED, FAILED or CANCELLED; RUNNING → QUEUED when a lease expires
// or a worker lets go. A terminal state never changes.
// Fence: a fit's `attempt` rises whenever it is claimed or taken away, and every write of a worker
// names the attempt it was given: one that was stopped past its lease is refused at its first
// write. Cancel is a durable flag: once it is acknowledged the fit does not succeed, even when its
// worker dies, for then the reaper ends it. Losses: a worker that dies costs its fit one attempt;
// three without a checkpoint in between, and the fit is FAILED (CRASH_LOOP) until somebody asks for
// it again.
//
// A call that returned OK is durable: WAL with synchronous=FULL, and one connection, since the WAL
// reset of SQLite 3.40 is not safe with two. Each row's payload has a checksum; one that is damaged
// is FAILED, never written again, and goes with Delete(). Time is the caller's: one clock, which
// tests set.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "aisivi/v1/fit.pb.h"

struct sqlite3;

namespace aisivi::server {

// What is kept of a fit.
struct StoredFit {
  std::string id;
  v1::Fit fit;             // its state is that of the row
  int64_t attempt = 0;     // the fence
  int64_t version = 0;     // rises with every change
  int losses = 0;          // workers lost since the last checkpoint
  bool cancel = false;     // asked for
  std::string checkpoint;  // of the last one saved: a name of a blob; may be empty
};

struct FitClaim {
  StoredFit stored;
  absl::Time lease_until;
};

struct FitListing {
  std::vector<StoredFit> fits;
  // To go on from; 0: that was all.
  int64_t next = 0;
};

// Thread safety: all methods may be called at once.
class FitDatabase {
 public:
  static constexpr int kMostLosses = 3;
  static constexpr absl::Duration kRequestsKept = absl::Hours(7 * 24);

  // Creates it when it is missing. FAILED_PRECONDITION when it is of a later version; DATA_LOSS
  // when it is damaged.
  static absl::StatusOr<std::unique_ptr<FitDatabase>> Open(const std::string& directory);
  ~FitDatabase();
  FitDatabase(const FitDatabase&) = delete;
  FitDatabase& operator=(const FitDatabase&) = delete;

  // Queues a fit under a new id, once for each request_id (may be empty) within a week, even when
  // it has been deleted meanwhile. With a known request_id the fit that it made, or NOT_FOUND when
  // that is gone; INVALID_ARGUMENT when `fingerprint` is another than then.
  absl::StatusOr<StoredFit> Create(const std::string& id, const v1::Fit& fit,
                                   const std::string& request_id, uint64_t fingerprint,
                                   absl::Time now);
  // NOT_FOUND; DATA_LOSS.
  absl::StatusOr<StoredFit> Get(const std::string& id) const;
  // At most `limit` fits, the oldest first, beyond the place `after`; of one state, or of all
  // (STATE_UNSPECIFIED). One whose record is damaged is shown as FAILED with DATA_LOSS.
  absl::StatusOr<FitListing> List(v1::Fit::State state, int64_t after, int limit) const;

  // The oldest fit that waits, for `ttl` from now on; nothing when none does. Never one that
  // another holds.
  absl::StatusOr<std::optional<FitClaim>> Claim(const std::string& worker, absl::Duration ttl,
                                                absl::Time now);
  // A worker's writes; ABORTED when `attempt` is not the fit's, NOT_FOUND.
  // The heartbeat: `ttl` more from now on. Whether the fit is to be cancelled.
  absl::StatusOr<bool> Renew(const std::string& id, int64_t attempt, absl::Duration ttl,
                             absl::Time now);
  // `checkpoint`, which must be durable already, in place of the one before. It proves the fit:
  // losses are counted anew.
  absl::Status SaveCheckpoint(const std::string& id, int64_t attempt,
                              const std::string& checkpoint);
  // The end: `fit` in a terminal state. A fit that was to be cancelled and would have SUCCEEDED is
  // CANCELLED. What is stored.
  absl::StatusOr<StoredFit> Finish(const std::string& id, int64_t attempt, const v1::Fit& fit);
  // Lets go: the fit waits again, first in line, and nothing is counted.
  absl::Status Release(const std::string& id, int64_t attempt);

  // Takes away every fit whose lease is over: those to be cancelled are CANCELLED, those lost too
  // often FAILED, others wait again. Idempotent; their ids.
  absl::StatusOr<std::vector<std::string>> Reap(absl::Time now);
  // One that waits is CANCELLED at once; one that runs will be. One that has ended stays as it is.
  absl::StatusOr<StoredFit> RequestCancel(const std::string& id, absl::Time now);
  // A FAILED or CANCELLED fit waits again, from its last checkpoint. FAILED_PRECONDITION otherwise.
  absl::StatusOr<StoredFit> Retry(const std::string& id);
  // FAILED_PRECONDITION unless it has ended. Its request_id stays known.
  absl::Status Delete(const std::string& id);
  // Forgets the requests of more than a week ago.
  absl::Status ForgetRequests(absl::Time now);

  // SQLite's own check of the whole file: OK, or DATA_LOSS with what it says.
  absl::Status Check() const;

 private:
  explicit FitDatabase(sqlite3* database) : database_(database) {}

  // With mutex_ held.
  absl::Status Execute(const char* sql) const;
  absl::Status Migrate();
  absl::StatusOr<StoredFit> Read(const std::string& id) const;
  absl::StatusOr<std::optional<StoredFit>> NextWaiting() const;
  // A record that cannot be read: FAILED from here on, its payload left as it is.
  absl::Status SetAside(const std::string& id) const;
  // The fit that a worker of `attempt` may write.
  absl::StatusOr<StoredFit> ReadHeld(const std::string& id, int64_t attempt) const;
  // Stores what `stored` says and raises its version.
  absl::Status Write(StoredFit* stored, absl::Time lease_until);
  // A fit as `change` made of what `read` found, in a transaction. Without mutex_ held.
  absl::StatusOr<StoredFit> Change(absl::FunctionRef<absl::StatusOr<StoredFit>()> read,
                                   absl::FunctionRef<absl::Status(StoredFit* stored)> change);
  // Runs `body` in a transaction, which is rolled back when it returns an error.
  absl::Status Transact(absl::FunctionRef<absl::Status()> body) const;

  mutable std::mutex mutex_;
  sqlite3* const database_;
};

}  // namespace aisivi::server
