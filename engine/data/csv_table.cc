#include "engine/data/csv_table.h"

#include <algorithm>
#include <cmath>
#include <unordered_map>

#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "engine/data/column_name.h"

namespace aisivi {
namespace {

constexpr double kLargestExactInteger = 9007199254740992;  // 2^53

// A decimal number, or a word for one that is not finite.
bool ParseNumber(absl::string_view text, double* value) {
  // It would read hexadecimal digits too.
  return text.find_first_of("xX") == absl::string_view::npos && absl::SimpleAtod(text, value);
}

bool IsNumber(absl::string_view text) {
  double value;
  return ParseNumber(text, &value);
}

bool IsMissing(absl::string_view text) {
  for (const absl::string_view word : {"", "NA", "N/A", "NaN", "null"}) {
    if (absl::EqualsIgnoreCase(text, word)) return true;
  }
  return false;
}

bool IsInteger(absl::string_view text, double value) {
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) text.remove_prefix(1);
  return std::all_of(text.begin(), text.end(), [](char c) { return absl::ascii_isdigit(c); }) &&
         std::abs(value) <= kLargestExactInteger;
}

}  // namespace

CsvTableReader::CsvTableReader(CsvOptions options, OnRow on_row)
    : options_(std::move(options)),
      on_row_(std::move(on_row)),
      reader_(options_.source,
              {.on_cell = [this](const CsvCell& cell) { return OnCell(cell); },
               .on_record = [this](int64_t line, int cells) { return OnRecord(line, cells); }}) {}

absl::Status CsvTableReader::Finish() {
  absl::Status status = reader_.Finish();
  if (status.ok() && rows_ == 0) {
    return absl::InvalidArgumentError(absl::StrCat(
        options_.source, options_.source.empty() ? "" : ": ",
        has_header_ ? "there are no rows below the names" : "there are no data in it"));
  }
  return status;
}

absl::Status CsvTableReader::OnCell(const CsvCell& cell) {
  if (!has_first_) {
    first_.push_back({std::string(cell.text), cell.quoted});
    return absl::OkStatus();
  }
  // What is too many is counted only.
  if (cell.column > static_cast<int>(columns_.size())) return absl::OkStatus();
  return AddNumber(cell.text, cell.line, cell.column);
}

absl::Status CsvTableReader::OnRecord(int64_t line, int cells) {
  if (!has_first_) return OnFirstRecord(line);
  if (cells != static_cast<int>(columns_.size())) {
    return CsvError(options_.source, line, "",
                    absl::StrCat(cells, " cells, the lines before it have ", columns_.size()));
  }
  return EndRow();
}

absl::Status CsvTableReader::OnFirstRecord(int64_t line) {
  has_first_ = true;
  columns_.resize(first_.size());
  const auto is_number = [](const NamedCell& cell) { return !cell.quoted && IsNumber(cell.text); };
  const auto number = std::find_if(first_.begin(), first_.end(), is_number);
  const bool empty = std::all_of(first_.begin(), first_.end(), [](const NamedCell& cell) {
    return !cell.quoted && cell.text.empty();
  });
  absl::Status status;
  if (number == first_.end() && (options_.header_required || !empty)) {
    status = NameColumns(line);
  } else if (options_.header_required) {
    status = CsvError(
        options_.source, line, absl::StrCat(number - first_.begin() + 1),
        absl::StrCat("the first line has to name the columns, and ", CsvShown(number->text),
                     " is a number; put it between quotation marks if it is a name"));
  } else {
    for (size_t c = 0; c < first_.size() && status.ok(); ++c) {
      status = AddNumber(first_[c].text, line, static_cast<int>(c) + 1);
    }
    if (status.ok()) status = EndRow();
  }
  first_ = {};
  return status;
}

absl::Status CsvTableReader::NameColumns(int64_t line) {
  has_header_ = true;
  std::unordered_map<std::string, size_t> seen;
  for (size_t c = 0; c < first_.size(); ++c) {
    absl::StatusOr<std::string> name = CleanColumnName(first_[c].text);
    const std::string column = absl::StrCat(c + 1);
    if (!name.ok()) return CsvError(options_.source, line, column, name.status().message());
    const auto [earlier, is_new] = seen.emplace(*name, c + 1);
    if (!is_new) {
      return CsvError(
          options_.source, line, column,
          absl::StrCat("is called ", CsvShown(*name), ", like column ", earlier->second));
    }
    columns_[c].name = *std::move(name);
  }
  return absl::OkStatus();
}

absl::Status CsvTableReader::AddNumber(absl::string_view text, int64_t line, int column) {
  text = absl::StripAsciiWhitespace(text);
  CsvColumn& info = columns_[static_cast<size_t>(column) - 1];
  double value = 0;
  const bool number = ParseNumber(text, &value);
  if (!number || !std::isfinite(value)) {
    std::string what =
        absl::StrCat(CsvShown(text), " is not a ", number ? "finite " : "", "number");
    if (IsMissing(text)) {
      what =
          absl::StrCat(text.empty() ? "the cell is empty" : CsvShown(text) + " is a missing value",
                       "; leave such rows out, or fill them in");
    }
    const std::string place =
        has_header_ ? absl::StrCat(column, " (", info.name, ")") : absl::StrCat(column);
    return CsvError(options_.source, line, place, what);
  }
  info.integer = info.integer && IsInteger(text, value);
  info.minimum = std::min(info.minimum, value);
  info.maximum = std::max(info.maximum, value);
  row_.push_back(value);
  return absl::OkStatus();
}

absl::Status CsvTableReader::EndRow() {
  ++rows_;
  absl::Status status = on_row_ ? on_row_(row_) : absl::OkStatus();
  row_.clear();
  return status;
}

}  // namespace aisivi
