// A statement of SQLite: bound by position, stepped, read by column.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace aisivi::server {

// An error of SQLite's, by its extended code: RESOURCE_EXHAUSTED when the disk is full, DATA_LOSS
// when the file is damaged, else UNAVAILABLE.
absl::Status SqliteError(sqlite3* database, absl::string_view what);

// Thread safety: none; the database's lock is held for as long as it lives.
class SqliteStatement {
 public:
  SqliteStatement(sqlite3* database, const char* sql);
  ~SqliteStatement();
  SqliteStatement(const SqliteStatement&) = delete;
  SqliteStatement& operator=(const SqliteStatement&) = delete;

  // The next parameter. What is bound must stay as it is until the statement is gone.
  SqliteStatement& Bind(int64_t value);
  SqliteStatement& Bind(absl::string_view text);
  SqliteStatement& BindBytes(absl::string_view bytes);

  // Whether there is a row; false: the statement is done.
  absl::StatusOr<bool> Step();
  // Steps to the end.
  absl::Status Run();

  // Of the row at hand.
  int64_t Int(int column) const { return sqlite3_column_int64(statement_, column); }
  // Valid until the next step.
  absl::string_view Bytes(int column) const;

 private:
  sqlite3* const database_;
  sqlite3_stmt* statement_ = nullptr;
  absl::Status status_;
  int bound_ = 0;
};

}  // namespace aisivi::server
