// Comma-separated values as text, read as they come: RFC 4180.
//
// A record ends with LF, CRLF or CR; a cell in quotation marks may hold commas, line breaks and,
// doubled, quotation marks. Beyond the RFC, a byte-order mark of UTF-8 is skipped, blanks around a
// cell do not belong to it, and lines that are blank or begin with '#' are left out.
//
// Memory: one cell, whatever the text is. Time: linear in its length.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace aisivi {

// Bytes of a cell: far more than any number or name takes, so that a quotation mark that is never
// closed is noticed at once.
inline constexpr size_t kMaxCsvCell = 1024;
// Columns of a table: as many as a spreadsheet of today has (ECMA-376 readers: XFD).
inline constexpr int kMaxCsvColumns = 16384;

struct CsvCell {
  absl::string_view text;  // unquoted, without blanks around it; valid during the call
  bool quoted = false;
  int64_t line = 0;  // where it begins, from 1
  int column = 0;    // from 1
};

struct CsvHandlers {
  std::function<absl::Status(const CsvCell& cell)> on_cell;
  // The end of a record of `cells` cells that began in `line`.
  std::function<absl::Status(int64_t line, int cells)> on_record;
};

// INVALID_ARGUMENT "SOURCE:LINE: column C: WHAT", or "line LINE: column C: WHAT" without a source.
// `column` is as it is to be shown, "2" or "2 (age)"; empty for an error of a whole line.
absl::Status CsvError(absl::string_view source, int64_t line, absl::string_view column,
                      absl::string_view what);

// `text` between single quotation marks for an error: 40 bytes of it at most, and nothing in it
// that is no visible ASCII unless all of it is UTF-8.
std::string CsvShown(absl::string_view text);

// `text` as a cell: between quotation marks where it would be read as something else.
std::string CsvQuoted(absl::string_view text);

// Not thread-safe. Errors are those of CsvError() and those of the handlers; after the first one
// every call returns it.
class CsvReader {
 public:
  // `max_cell`: bytes.
  CsvReader(std::string source, CsvHandlers handlers, size_t max_cell = kMaxCsvCell)
      : source_(std::move(source)), handlers_(std::move(handlers)), max_cell_(max_cell) {}

  // Some more of the text, cut anywhere.
  absl::Status Feed(absl::string_view bytes);
  // The end of the text.
  absl::Status Finish();

 private:
  enum class State {
    kStart,    // of a cell: blanks at most
    kBare,     // in a cell without quotation marks
    kQuoted,   // in one between them
    kClosing,  // at a quotation mark in it: the last, or the first of two
    kClosed,   // behind it
    kComment,
  };

  absl::Status Consume(absl::string_view bytes);
  // As many of the bytes as are nothing but a part of the cell; how many that were.
  size_t TakeRun(absl::string_view bytes);
  absl::Status Take(char c);
  absl::Status Push(char c);
  absl::Status EndCell();
  absl::Status EndRecord();
  void BreakLine(char c);
  absl::Status Wrong(absl::string_view what) const;

  const std::string source_;
  const CsvHandlers handlers_;
  const size_t max_cell_;
  absl::Status status_;
  State state_ = State::kStart;
  std::string start_;      // what may yet turn out to be a byte-order mark
  bool begun_ = false;     // it has been dealt with
  bool after_cr_ = false;  // a line feed now belongs to the line break before
  std::string cell_;
  bool quoted_ = false;
  int cells_ = 0;  // of this record, before this cell
  int64_t line_ = 1;
  int64_t cell_line_ = 1;
  int64_t record_line_ = 1;
};

}  // namespace aisivi
