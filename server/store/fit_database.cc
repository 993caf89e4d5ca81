#include "server/store/fit_database.h"

#include <sqlite3.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "server/status.h"
#include "server/store/durable_file.h"
#include "server/store/sqlite_statement.h"

namespace aisivi::server {
namespace {

// PRAGMA user_version of what kMigrations lead to, one after the other; only ever added to.
constexpr const char* kMigrations[] = {
    R"sql(
    CREATE TABLE fit (
      sequence INTEGER PRIMARY KEY AUTOINCREMENT,  -- in the order of creation, never used again
      id TEXT NOT NULL UNIQUE,
      state INTEGER NOT NULL,                      -- aisivi.v1.Fit.State
      attempt INTEGER NOT NULL,
      version INTEGER NOT NULL,
      losses INTEGER NOT NULL,
      cancel INTEGER NOT NULL,
      first INTEGER NOT NULL,                      -- 1: goes before the others that wait
      lease_until INTEGER NOT NULL,                -- nanoseconds since 1970; 0 unless RUNNING
      worker TEXT NOT NULL,
      checkpoint TEXT NOT NULL,
      payload BLOB NOT NULL                        -- its checksum, 8 bytes, and an aisivi.v1.Fit
    ) STRICT;
    CREATE INDEX waiting ON fit (first DESC, sequence) WHERE state = 1;
    CREATE INDEX running ON fit (lease_until) WHERE state = 2;
    CREATE TABLE request (
      id TEXT NOT NULL PRIMARY KEY,
      fingerprint INTEGER NOT NULL,
      fit TEXT NOT NULL,
      made INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX request_made ON request (made);
    )sql"};
constexpr int kVersion = sizeof kMigrations / sizeof kMigrations[0];

constexpr const char* kColumns =
    "id, state, attempt, version, losses, cancel, checkpoint, payload, sequence";

bool IsOver(v1::Fit::State state) {
  return state != v1::Fit::STATE_QUEUED && state != v1::Fit::STATE_RUNNING;
}

std::string Payload(const v1::Fit& fit) {
  const std::string bytes = fit.SerializeAsString();
  return absl::StrCat(ToBytes(Fingerprint(bytes)), bytes);
}

absl::StatusOr<StoredFit> RowOf(const SqliteStatement& row) {
  StoredFit stored;
  stored.id = std::string(row.Bytes(0));
  stored.attempt = row.Int(2);
  stored.version = row.Int(3);
  stored.losses = static_cast<int>(row.Int(4));
  stored.cancel = row.Int(5) != 0;
  stored.checkpoint = std::string(row.Bytes(6));
  const absl::string_view payload = row.Bytes(7);
  if (payload.size() < 8 || ToBytes(Fingerprint(payload.substr(8))) != payload.substr(0, 8) ||
      !stored.fit.ParseFromArray(payload.data() + 8, static_cast<int>(payload.size() - 8))) {
    return absl::DataLossError(absl::StrCat("the record of fit ", stored.id, " is damaged"));
  }
  stored.fit.set_state(static_cast<v1::Fit::State>(row.Int(1)));
  return stored;
}

absl::Status NoSuchFit(const std::string& id) { return FitNotFound(absl::StrCat("fits/", id)); }

void EndAsCancelled(v1::Fit* fit) {
  fit->set_state(v1::Fit::STATE_CANCELLED);
  fit->set_termination_reason(v1::Fit::TERMINATION_REASON_CANCELLATION);
}

void EndAsCrashLoop(v1::Fit* fit) {
  const absl::Status error = absl::InternalError(
      absl::StrCat("CRASH_LOOP: ", FitDatabase::kMostLosses,
                   " workers in a row were lost while they ran this fit, before it had a "
                   "checkpoint; it is not run again unless it is asked for"));
  fit->set_state(v1::Fit::STATE_FAILED);
  fit->set_message(std::string(error.message()));
  *fit->mutable_error() = ToRpcStatus(error);
}

// For a record that cannot be read.
StoredFit StandIn(const std::string& id, const absl::Status& error) {
  StoredFit stored;
  stored.id = id;
  stored.fit.set_name(absl::StrCat("fits/", id));
  stored.fit.set_state(v1::Fit::STATE_FAILED);
  stored.fit.set_message(std::string(error.message()));
  *stored.fit.mutable_error() = ToRpcStatus(error);
  return stored;
}

}  // namespace

absl::StatusOr<std::unique_ptr<FitDatabase>> FitDatabase::Open(const std::string& directory) {
  if (absl::Status status = CreateDirectories(directory); !status.ok()) return status;
  sqlite3* opened = nullptr;
  const std::string path = absl::StrCat(directory, "/fits.db");
  const int code =
      sqlite3_open_v2(path.c_str(), &opened,
                      SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nullptr);
  auto database = std::unique_ptr<FitDatabase>(new FitDatabase(opened));
  if (code != SQLITE_OK) return SqliteError(opened, path);
  sqlite3_extended_result_codes(opened, 1);
  const std::lock_guard<std::mutex> lock(database->mutex_);
  // Exclusively: no shared memory, and a second process is refused.
  for (const char* pragma :
       {"PRAGMA locking_mode=EXCLUSIVE", "PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL"}) {
    if (absl::Status status = database->Execute(pragma); !status.ok()) return status;
  }
  if (absl::Status status = database->Migrate(); !status.ok()) return status;
  return database;
}

FitDatabase::~FitDatabase() { sqlite3_close_v2(database_); }

absl::Status FitDatabase::Execute(const char* sql) const {
  if (sqlite3_exec(database_, sql, nullptr, nullptr, nullptr) == SQLITE_OK) return {};
  return SqliteError(database_, "the database cannot do it");
}

absl::Status FitDatabase::Transact(absl::FunctionRef<absl::Status()> body) const {
  if (absl::Status status = Execute("BEGIN IMMEDIATE"); !status.ok()) return status;
  absl::Status status = body();
  if (status.ok()) status = Execute("COMMIT");
  // A commit that failed may have ended the transaction already.
  if (!status.ok() && sqlite3_get_autocommit(database_) == 0) {
    Execute("ROLLBACK").IgnoreError();
  }
  return status;
}

absl::Status FitDatabase::Migrate() {
  int64_t version = 0;
  {
    SqliteStatement read(database_, "PRAGMA user_version");
    const absl::StatusOr<bool> row = read.Step();
    if (!row.ok()) return row.status();
    version = read.Int(0);
  }
  if (version > kVersion) {
    return absl::FailedPreconditionError(absl::StrCat(
        "the database is of version ", version, ", this server knows ", kVersion, " at most"));
  }
  for (int64_t next = version; next < kVersion; ++next) {
    const std::string number = absl::StrCat("PRAGMA user_version=", next + 1);
    absl::Status status = Transact([&] {
      absl::Status made = Execute(kMigrations[next]);
      return made.ok() ? Execute(number.c_str()) : made;
    });
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::StatusOr<StoredFit> FitDatabase::Read(const std::string& id) const {
  const std::string sql = absl::StrCat("SELECT ", kColumns, " FROM fit WHERE id = ?");
  SqliteStatement row(database_, sql.c_str());
  const absl::StatusOr<bool> found = row.Bind(absl::string_view(id)).Step();
  if (!found.ok()) return found.status();
  if (!*found) return NoSuchFit(id);
  return RowOf(row);
}

absl::StatusOr<StoredFit> FitDatabase::ReadHeld(const std::string& id, int64_t attempt) const {
  absl::StatusOr<StoredFit> stored = Read(id);
  if (!stored.ok()) return stored;
  if (stored->attempt != attempt || stored->fit.state() != v1::Fit::STATE_RUNNING) {
    return absl::AbortedError(absl::StrCat("fit ", id, " is no longer run by attempt ", attempt,
                                           ": it is at ", stored->attempt));
  }
  return stored;
}

absl::Status FitDatabase::Write(StoredFit* stored, absl::Time lease_until) {
  ++stored->version;
  const std::string payload = Payload(stored->fit);
  const bool runs = stored->fit.state() == v1::Fit::STATE_RUNNING;
  SqliteStatement write(database_,
                        "UPDATE fit SET state = ?, attempt = ?, version = ?, losses = ?,"
                        " cancel = ?, checkpoint = ?, lease_until = ?, payload = ? WHERE id = ?");
  return write.Bind(int64_t{stored->fit.state()})
      .Bind(stored->attempt)
      .Bind(stored->version)
      .Bind(int64_t{stored->losses})
      .Bind(int64_t{stored->cancel})
      .Bind(absl::string_view(stored->checkpoint))
      .Bind(runs ? absl::ToUnixNanos(lease_until) : 0)
      .BindBytes(payload)
      .Bind(absl::string_view(stored->id))
      .Run();
}

absl::StatusOr<StoredFit> FitDatabase::Create(const std::string& id, const v1::Fit& fit,
                                              const std::string& request_id, uint64_t fingerprint,
                                              absl::Time now) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (!request_id.empty()) {
    SqliteStatement known(database_, "SELECT fingerprint, fit, made FROM request WHERE id = ?");
    const absl::StatusOr<bool> found = known.Bind(absl::string_view(request_id)).Step();
    if (!found.ok()) return found.status();
    if (*found && now - absl::FromUnixNanos(known.Int(2)) < kRequestsKept) {
      if (static_cast<uint64_t>(known.Int(0)) != fingerprint) {
        return FieldError("request_id", "was used before for another request");
      }
      return Read(std::string(known.Bytes(1)));
    }
  }
  StoredFit stored;
  stored.id = id;
  stored.fit = fit;
  stored.fit.set_state(v1::Fit::STATE_QUEUED);
  const std::string payload = Payload(stored.fit);
  const absl::Status status = Transact([&] {
    SqliteStatement insert(database_,
                           "INSERT INTO fit (id, state, attempt, version, losses, cancel, first,"
                           " lease_until, worker, checkpoint, payload)"
                           " VALUES (?, ?, 0, 0, 0, 0, 0, 0, '', '', ?)");
    absl::Status made = insert.Bind(absl::string_view(id))
                            .Bind(int64_t{stored.fit.state()})
                            .BindBytes(payload)
                            .Run();
    if (!made.ok() || request_id.empty()) return made;
    SqliteStatement request(
        database_, "INSERT OR REPLACE INTO request (id, fingerprint, fit, made) VALUES (?,?,?,?)");
    return request.Bind(absl::string_view(request_id))
        .Bind(static_cast<int64_t>(fingerprint))
        .Bind(absl::string_view(id))
        .Bind(absl::ToUnixNanos(now))
        .Run();
  });
  if (!status.ok()) return status;
  return stored;
}

absl::StatusOr<StoredFit> FitDatabase::Get(const std::string& id) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return Read(id);
}

absl::StatusOr<FitListing> FitDatabase::List(v1::Fit::State state, int64_t after, int limit) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  const std::string sql =
      absl::StrCat("SELECT ", kColumns,
                   " FROM fit WHERE sequence > ? AND (? = 0 OR state = ?) ORDER BY sequence"
                   " LIMIT ?");
  SqliteStatement rows(database_, sql.c_str());
  rows.Bind(after).Bind(int64_t{state}).Bind(int64_t{state}).Bind(int64_t{limit});
  FitListing listing;
  for (int count = 0;; ++count) {
    const absl::StatusOr<bool> row = rows.Step();
    if (!row.ok()) return row.status();
    if (!*row) {
      if (count < limit) listing.next = 0;
      return listing;
    }
    listing.next = rows.Int(8);
    absl::StatusOr<StoredFit> stored = RowOf(rows);
    listing.fits.push_back(stored.ok() ? *std::move(stored)
                                       : StandIn(std::string(rows.Bytes(0)), stored.status()));
  }
}

absl::Status FitDatabase::SetAside(const std::string& id) const {
  SqliteStatement write(database_,
                        "UPDATE fit SET state = ?, attempt = attempt + 1, version = version + 1"
                        " WHERE id = ?");
  return write.Bind(int64_t{v1::Fit::STATE_FAILED}).Bind(absl::string_view(id)).Run();
}

absl::StatusOr<std::optional<StoredFit>> FitDatabase::NextWaiting() const {
  const std::string sql = absl::StrCat("SELECT ", kColumns,
                                       " FROM fit WHERE state = 1"
                                       " ORDER BY first DESC, sequence LIMIT 1");
  while (true) {
    std::string damaged;
    {
      SqliteStatement row(database_, sql.c_str());
      const absl::StatusOr<bool> found = row.Step();
      if (!found.ok()) return found.status();
      if (!*found) return std::nullopt;
      absl::StatusOr<StoredFit> stored = RowOf(row);
      if (stored.ok()) return *std::move(stored);
      damaged = std::string(row.Bytes(0));
    }
    // Those behind it must not wait for it.
    if (absl::Status s = SetAside(damaged); !s.ok()) return s;
  }
}

absl::StatusOr<std::optional<FitClaim>> FitDatabase::Claim(const std::string& worker,
                                                           absl::Duration ttl, absl::Time now) {
  const std::lock_guard<std::mutex> lock(mutex_);
  std::optional<FitClaim> claim;
  const absl::Status status = Transact([&]() -> absl::Status {
    absl::StatusOr<std::optional<StoredFit>> next = NextWaiting();
    if (!next.ok()) return next.status();
    if (!next->has_value()) return absl::OkStatus();
    claim = FitClaim{**std::move(next), now + ttl};
    claim->stored.fit.set_state(v1::Fit::STATE_RUNNING);
    ++claim->stored.attempt;
    if (absl::Status s = Write(&claim->stored, claim->lease_until); !s.ok()) return s;
    SqliteStatement holder(database_, "UPDATE fit SET worker = ?, first = 0 WHERE id = ?");
    return holder.Bind(absl::string_view(worker)).Bind(absl::string_view(claim->stored.id)).Run();
  });
  if (!status.ok()) return status;
  return claim;
}

absl::StatusOr<bool> FitDatabase::Renew(const std::string& id, int64_t attempt, absl::Duration ttl,
                                        absl::Time now) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const absl::StatusOr<StoredFit> stored = ReadHeld(id, attempt);
  if (!stored.ok()) return stored.status();
  // The payload is left alone: a heartbeat writes a few bytes.
  SqliteStatement write(database_, "UPDATE fit SET lease_until = ? WHERE id = ?");
  const absl::Status status =
      write.Bind(absl::ToUnixNanos(now + ttl)).Bind(absl::string_view(id)).Run();
  if (!status.ok()) return status;
  return stored->cancel;
}

absl::Status FitDatabase::SaveCheckpoint(const std::string& id, int64_t attempt,
                                         const std::string& checkpoint) {
  const std::lock_guard<std::mutex> lock(mutex_);
  return Transact([&]() -> absl::Status {
    const absl::StatusOr<StoredFit> stored = ReadHeld(id, attempt);
    if (!stored.ok()) return stored.status();
    SqliteStatement write(database_,
                          "UPDATE fit SET checkpoint = ?, losses = 0, version = version + 1"
                          " WHERE id = ?");
    return write.Bind(absl::string_view(checkpoint)).Bind(absl::string_view(id)).Run();
  });
}

absl::StatusOr<StoredFit> FitDatabase::Change(
    absl::FunctionRef<absl::StatusOr<StoredFit>()> read,
    absl::FunctionRef<absl::Status(StoredFit* stored)> change) {
  const std::lock_guard<std::mutex> lock(mutex_);
  StoredFit result;
  const absl::Status status = Transact([&]() -> absl::Status {
    absl::StatusOr<StoredFit> stored = read();
    if (!stored.ok()) return stored.status();
    result = *std::move(stored);
    return change(&result);
  });
  if (!status.ok()) return status;
  return result;
}

absl::StatusOr<StoredFit> FitDatabase::Finish(const std::string& id, int64_t attempt,
                                              const v1::Fit& fit) {
  if (!IsOver(fit.state()) || fit.state() == v1::Fit::STATE_UNSPECIFIED) {
    return absl::InvalidArgumentError("an end is SUCCEEDED, FAILED or CANCELLED");
  }
  return Change([&] { return ReadHeld(id, attempt); },
                [&](StoredFit* stored) {
                  stored->fit = fit;
                  if (stored->cancel && fit.state() == v1::Fit::STATE_SUCCEEDED) {
                    EndAsCancelled(&stored->fit);
                  }
                  stored->checkpoint.clear();
                  stored->losses = 0;
                  return Write(stored, absl::UnixEpoch());
                });
}

absl::Status FitDatabase::Release(const std::string& id, int64_t attempt) {
  return Change([&] { return ReadHeld(id, attempt); },
                [&](StoredFit* stored) {
                  ++stored->attempt;
                  stored->fit.set_state(v1::Fit::STATE_QUEUED);
                  if (stored->cancel) EndAsCancelled(&stored->fit);
                  if (absl::Status s = Write(stored, absl::UnixEpoch()); !s.ok()) return s;
                  SqliteStatement first(database_, "UPDATE fit SET first = 1 WHERE id = ?");
                  return first.Bind(absl::string_view(id)).Run();
                })
      .status();
}

absl::StatusOr<std::vector<std::string>> FitDatabase::Reap(absl::Time now) {
  const std::lock_guard<std::mutex> lock(mutex_);
  std::vector<std::string> reaped;
  const absl::Status status = Transact([&]() -> absl::Status {
    {
      SqliteStatement rows(database_, "SELECT id FROM fit WHERE state = 2 AND lease_until < ?");
      rows.Bind(absl::ToUnixNanos(now));
      while (true) {
        const absl::StatusOr<bool> row = rows.Step();
        if (!row.ok()) return row.status();
        if (!*row) break;
        reaped.emplace_back(rows.Bytes(0));
      }
    }
    for (const std::string& id : reaped) {
      absl::StatusOr<StoredFit> stored = Read(id);
      if (absl::IsDataLoss(stored.status())) {
        if (absl::Status s = SetAside(id); !s.ok()) return s;
        continue;
      }
      if (!stored.ok()) return stored.status();
      ++stored->attempt;
      ++stored->losses;
      stored->fit.set_state(v1::Fit::STATE_QUEUED);
      if (stored->cancel) {
        EndAsCancelled(&stored->fit);
      } else if (stored->losses >= kMostLosses) {
        EndAsCrashLoop(&stored->fit);
      }
      if (absl::Status s = Write(&*stored, absl::UnixEpoch()); !s.ok()) return s;
    }
    return absl::OkStatus();
  });
  if (!status.ok()) return status;
  return reaped;
}

absl::StatusOr<StoredFit> FitDatabase::RequestCancel(const std::string& id, absl::Time now) {
  return Change([&] { return Read(id); },
                [&](StoredFit* stored) {
                  if (IsOver(stored->fit.state()) || stored->cancel) return absl::OkStatus();
                  stored->cancel = true;
                  if (stored->fit.state() == v1::Fit::STATE_RUNNING) {
                    ++stored->version;
                    SqliteStatement flag(database_,
                                         "UPDATE fit SET cancel = 1, version = ? WHERE id = ?");
                    return flag.Bind(stored->version).Bind(absl::string_view(id)).Run();
                  }
                  EndAsCancelled(&stored->fit);
                  stored->fit.set_message("cancelled before it began");
                  stored->fit.mutable_end_time()->set_seconds(absl::ToUnixSeconds(now));
                  return Write(stored, absl::UnixEpoch());
                });
}

absl::StatusOr<StoredFit> FitDatabase::Retry(const std::string& id) {
  return Change(
      [&] { return Read(id); },
      [&](StoredFit* stored) {
        v1::Fit& fit = stored->fit;
        if (fit.state() != v1::Fit::STATE_FAILED && fit.state() != v1::Fit::STATE_CANCELLED) {
          return FitNotReady("FIT_NOT_FAILED", fit.name(), "has neither failed nor been cancelled");
        }
        fit.set_state(v1::Fit::STATE_QUEUED);
        fit.clear_message();
        fit.clear_error();
        fit.clear_start_time();
        fit.clear_end_time();
        fit.clear_termination_reason();
        stored->cancel = false;
        stored->losses = 0;
        ++stored->attempt;
        return Write(stored, absl::UnixEpoch());
      });
}

absl::Status FitDatabase::Delete(const std::string& id) {
  const std::lock_guard<std::mutex> lock(mutex_);
  return Transact([&]() -> absl::Status {
    // What is damaged can be deleted too: its row knows its state.
    SqliteStatement row(database_, "SELECT state FROM fit WHERE id = ?");
    const absl::StatusOr<bool> found = row.Bind(absl::string_view(id)).Step();
    if (!found.ok()) return found.status();
    if (!*found) return NoSuchFit(id);
    if (!IsOver(static_cast<v1::Fit::State>(row.Int(0)))) {
      return FitNotReady("FIT_NOT_ENDED", absl::StrCat("fits/", id), "has not ended");
    }
    SqliteStatement remove(database_, "DELETE FROM fit WHERE id = ?");
    return remove.Bind(absl::string_view(id)).Run();
  });
}

absl::Status FitDatabase::ForgetRequests(absl::Time now) {
  const std::lock_guard<std::mutex> lock(mutex_);
  SqliteStatement forget(database_, "DELETE FROM request WHERE made <= ?");
  return forget.Bind(absl::ToUnixNanos(now - kRequestsKept)).Run();
}

absl::Status FitDatabase::Check() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  SqliteStatement check(database_, "PRAGMA integrity_check(1)");
  const absl::StatusOr<bool> row = check.Step();
  if (!row.ok()) return row.status();
  if (*row && check.Bytes(0) == "ok") return absl::OkStatus();
  return absl::DataLossError(absl::StrCat("the database is damaged: ", check.Bytes(0)));
}

}  // namespace aisivi::server
