// A table of numbers as comma-separated values: a line of names, then one line for each row.
//
// The text is that of csv_reader.h. The first line names the columns when no cell of it is a number
// (one between quotation marks is a name, not a number). Names are unique. Every cell below is a
// finite number; an empty cell, NA, N/A, NaN and null are missing values, which are refused with
// their line and column, like whatever else is no number.
//
// Memory: the first line, one row, and what is known of the columns.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "engine/data/csv_reader.h"

namespace aisivi {

struct CsvColumn {
  std::string name;  // empty without a line of names
  // Every cell is a whole number, at most 2^53 in size and written with digits alone.
  bool integer = true;
  double minimum = std::numeric_limits<double>::infinity();
  double maximum = -std::numeric_limits<double>::infinity();
};

struct CsvOptions {
  std::string source;  // the file, for errors: see CsvError()
  // The first line must name the columns.
  bool header_required = false;
};

// Not thread-safe. Errors: INVALID_ARGUMENT by CsvError() and those of `on_row`; after the first
// one every call returns it.
class CsvTableReader {
 public:
  // The numbers of a row, valid during the call.
  using OnRow = std::function<absl::Status(std::span<const double> row)>;

  CsvTableReader(CsvOptions options, OnRow on_row);
  // The reader's handlers refer to this.
  CsvTableReader(const CsvTableReader&) = delete;
  CsvTableReader& operator=(const CsvTableReader&) = delete;

  // Some more of the text, cut anywhere.
  absl::Status Feed(absl::string_view bytes) { return reader_.Feed(bytes); }
  // The end of the text. An error when it has no row.
  absl::Status Finish();

  bool has_header() const { return has_header_; }
  // Known when the first row comes; complete after Finish().
  const std::vector<CsvColumn>& columns() const { return columns_; }
  int64_t rows() const { return rows_; }

 private:
  struct NamedCell {
    std::string text;
    bool quoted;
  };

  absl::Status OnCell(const CsvCell& cell);
  absl::Status OnRecord(int64_t line, int cells);
  absl::Status OnFirstRecord(int64_t line);
  absl::Status NameColumns(int64_t line);
  absl::Status AddNumber(absl::string_view text, int64_t line, int column);
  absl::Status EndRow();

  const CsvOptions options_;
  const OnRow on_row_;
  CsvReader reader_;
  std::vector<NamedCell> first_;  // until the first line has ended
  bool has_first_ = false;        // it has
  bool has_header_ = false;
  std::vector<CsvColumn> columns_;
  std::vector<double> row_;
  int64_t rows_ = 0;
};

}  // namespace aisivi
