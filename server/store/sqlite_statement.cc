#include "server/store/sqlite_statement.h"

#include "absl/strings/str_cat.h"

namespace aisivi::server {

absl::Status SqliteError(sqlite3* database, absl::string_view what) {
  const int code = sqlite3_extended_errcode(database);
  const std::string text = absl::StrCat(what, ": ", sqlite3_errmsg(database), " (", code, ")");
  switch (code & 0xff) {
    case SQLITE_FULL:
      return absl::ResourceExhaustedError(text);
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return absl::DataLossError(text);
    case SQLITE_NOMEM:
      return absl::ResourceExhaustedError(text);
    default:
      return absl::UnavailableError(text);
  }
}

SqliteStatement::SqliteStatement(sqlite3* database, const char* sql) : database_(database) {
  if (sqlite3_prepare_v2(database, sql, -1, &statement_, nullptr) != SQLITE_OK) {
    status_ = SqliteError(database, "the database does not understand");
  }
}

SqliteStatement::~SqliteStatement() { sqlite3_finalize(statement_); }

SqliteStatement& SqliteStatement::Bind(int64_t value) {
  if (status_.ok() && sqlite3_bind_int64(statement_, ++bound_, value) != SQLITE_OK) {
    status_ = SqliteError(database_, "the database does not take a number");
  }
  return *this;
}

SqliteStatement& SqliteStatement::Bind(absl::string_view text) {
  if (status_.ok() && sqlite3_bind_text64(statement_, ++bound_, text.data(), text.size(),
                                          SQLITE_STATIC, SQLITE_UTF8) != SQLITE_OK) {
    status_ = SqliteError(database_, "the database does not take a text");
  }
  return *this;
}

SqliteStatement& SqliteStatement::BindBytes(absl::string_view bytes) {
  // A null pointer would be NULL.
  const char* data = bytes.empty() ? "" : bytes.data();
  if (status_.ok() &&
      sqlite3_bind_blob64(statement_, ++bound_, data, bytes.size(), SQLITE_STATIC) != SQLITE_OK) {
    status_ = SqliteError(database_, "the database does not take bytes");
  }
  return *this;
}

absl::StatusOr<bool> SqliteStatement::Step() {
  if (!status_.ok()) return status_;
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return SqliteError(database_, "the database cannot do it");
}

absl::Status SqliteStatement::Run() {
  while (true) {
    const absl::StatusOr<bool> row = Step();
    if (!row.ok()) return row.status();
    if (!*row) return absl::OkStatus();
  }
}

absl::string_view SqliteStatement::Bytes(int column) const {
  const void* data = sqlite3_column_blob(statement_, column);
  const int size = sqlite3_column_bytes(statement_, column);
  return data == nullptr
             ? absl::string_view()
             : absl::string_view(static_cast<const char*>(data), static_cast<size_t>(size));
}

}  // namespace aisivi::server
