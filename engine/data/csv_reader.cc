#include "engine/data/csv_reader.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "engine/data/column_name.h"

namespace aisivi {
namespace {

constexpr absl::string_view kByteOrderMark = "\xEF\xBB\xBF";
constexpr size_t kMaxShown = 40;

bool IsBlank(char c) { return c == ' ' || c == '\t'; }
bool IsBreak(char c) { return c == '\n' || c == '\r'; }
// Nothing but a part of its cell.
bool IsPlain(char c, bool quoted) {
  return c != '"' && c != '\0' && !IsBreak(c) && (quoted || c != ',');
}

}  // namespace

absl::Status CsvError(absl::string_view source, int64_t line, absl::string_view column,
                      absl::string_view what) {
  const std::string place =
      source.empty() ? absl::StrCat("line ", line) : absl::StrCat(source, ":", line);
  return absl::InvalidArgumentError(
      absl::StrCat(place, ": ", column.empty() ? "" : absl::StrCat("column ", column, ": "), what));
}

std::string CsvShown(absl::string_view text) {
  const bool whole = text.size() <= kMaxShown;
  size_t end = std::min(text.size(), kMaxShown);
  // On the boundary of a character.
  while (!whole && end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  const absl::string_view shown = text.substr(0, end);
  return absl::StrCat("'",
                      IsUtf8(shown) ? absl::Utf8SafeCHexEscape(shown) : absl::CHexEscape(shown),
                      whole ? "'" : "…'");
}

std::string CsvQuoted(absl::string_view text) {
  const bool plain = text.find_first_of(",\"\r\n") == absl::string_view::npos &&
                     !absl::StartsWith(text, "#") && absl::StripAsciiWhitespace(text) == text;
  if (plain) return std::string(text);
  return absl::StrCat("\"", absl::StrReplaceAll(text, {{"\"", "\"\""}}), "\"");
}

absl::Status CsvReader::Feed(absl::string_view bytes) {
  if (!status_.ok() || begun_) return Consume(bytes);
  const size_t missing = std::min(kByteOrderMark.size() - start_.size(), bytes.size());
  start_.append(bytes.data(), missing);
  if (start_ != kByteOrderMark && absl::StartsWith(kByteOrderMark, start_)) return status_;
  begun_ = true;
  if (start_ != kByteOrderMark) Consume(start_).IgnoreError();
  return Consume(bytes.substr(missing));
}

absl::Status CsvReader::Finish() {
  if (!begun_) Consume(start_).IgnoreError();
  begun_ = true;
  if (!status_.ok()) return status_;
  if (state_ == State::kQuoted) {
    return status_ = Wrong("a quotation mark is opened here and never closed");
  }
  const bool pending = state_ != State::kComment && (state_ != State::kStart || cells_ > 0);
  if (pending) status_ = EndRecord();
  return status_;
}

absl::Status CsvReader::Consume(absl::string_view bytes) {
  while (!bytes.empty() && status_.ok()) {
    bytes.remove_prefix(TakeRun(bytes));
    if (bytes.empty()) break;
    status_ = Take(bytes[0]);
    bytes.remove_prefix(1);
  }
  return status_;
}

size_t CsvReader::TakeRun(absl::string_view bytes) {
  if (state_ != State::kBare && state_ != State::kQuoted) return 0;
  const size_t most = std::min(bytes.size(), max_cell_ - cell_.size());
  size_t run = 0;
  while (run < most && IsPlain(bytes[run], state_ == State::kQuoted)) ++run;
  cell_.append(bytes.data(), run);
  if (run > 0) after_cr_ = false;
  return run;
}

absl::Status CsvReader::Take(char c) {
  const bool second_half = after_cr_ && c == '\n';
  after_cr_ = false;
  if (second_half) return state_ == State::kQuoted ? Push(c) : absl::OkStatus();
  switch (state_) {
    case State::kStart:
      if (IsBlank(c)) return absl::OkStatus();
      if (c == '"') {
        state_ = State::kQuoted;
        quoted_ = true;
        return absl::OkStatus();
      }
      if (c == '#' && cells_ == 0) {
        state_ = State::kComment;
        return absl::OkStatus();
      }
      state_ = State::kBare;
      [[fallthrough]];
    case State::kBare:
      if (c == '"') return Wrong("a quotation mark inside a cell that does not begin with one");
      break;
    case State::kQuoted:
      if (c == '"') {
        state_ = State::kClosing;
        return absl::OkStatus();
      }
      if (IsBreak(c)) BreakLine(c);
      return Push(c);
    case State::kClosing:
      if (c == '"') {
        state_ = State::kQuoted;
        return Push(c);
      }
      state_ = State::kClosed;
      [[fallthrough]];
    case State::kClosed:
      if (IsBlank(c)) return absl::OkStatus();
      if (c != ',' && !IsBreak(c)) return Wrong("text after a closing quotation mark");
      break;
    case State::kComment:
      if (!IsBreak(c)) return absl::OkStatus();
      BreakLine(c);
      state_ = State::kStart;
      cell_line_ = record_line_ = line_;
      return absl::OkStatus();
  }
  if (c == ',') return EndCell();
  if (!IsBreak(c)) return Push(c);
  absl::Status status = EndRecord();
  BreakLine(c);
  cell_line_ = record_line_ = line_;
  return status;
}

absl::Status CsvReader::Push(char c) {
  if (c == '\0') return Wrong("a NUL byte: the text must be UTF-8");
  if (cell_.size() == max_cell_) {
    return Wrong(absl::StrCat("the cell has more than ", max_cell_, " bytes",
                              quoted_ ? "; is its closing quotation mark missing?" : ""));
  }
  cell_.push_back(c);
  return absl::OkStatus();
}

absl::Status CsvReader::EndCell() {
  if (cells_ == kMaxCsvColumns) {
    return CsvError(source_, record_line_, "",
                    absl::StrCat("more than ", kMaxCsvColumns, " columns"));
  }
  CsvCell cell;
  cell.text = quoted_ ? absl::string_view(cell_) : absl::StripTrailingAsciiWhitespace(cell_);
  cell.quoted = quoted_;
  cell.line = cell_line_;
  cell.column = ++cells_;
  absl::Status status = handlers_.on_cell(cell);
  cell_.clear();
  quoted_ = false;
  state_ = State::kStart;
  cell_line_ = line_;
  return status;
}

absl::Status CsvReader::EndRecord() {
  const bool blank = cells_ == 0 && !quoted_ && absl::StripAsciiWhitespace(cell_).empty();
  absl::Status status;
  if (!blank) {
    status = EndCell();
    if (status.ok()) status = handlers_.on_record(record_line_, cells_);
  }
  cell_.clear();
  state_ = State::kStart;
  cells_ = 0;
  return status;
}

void CsvReader::BreakLine(char c) {
  ++line_;
  after_cr_ = c == '\r';
}

absl::Status CsvReader::Wrong(absl::string_view what) const {
  return CsvError(source_, cell_line_, absl::StrCat(cells_ + 1), what);
}

}  // namespace aisivi
