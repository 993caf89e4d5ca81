#include "client/experiments/csv.h"

#include <charconv>
#include <cmath>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "engine/data/csv_reader.h"

namespace aisivi::experiments {
namespace {

std::string Quoted(const std::string& cell) {
  return CsvQuoted(absl::StrReplaceAll(cell, {{"\n", " "}, {"\r", " "}}));
}

}  // namespace

std::string CsvLine(const std::vector<std::string>& cells) {
  return absl::StrJoin(cells, ",",
                       [](std::string* line, const std::string& cell) { *line += Quoted(cell); }) +
         "\n";
}

absl::StatusOr<std::vector<std::string>> ParseCsvLine(absl::string_view line) {
  std::vector<std::string> cells;
  const auto add = [&cells](const CsvCell& cell) {
    cells.emplace_back(cell.text);
    return absl::OkStatus();
  };
  CsvReader reader("", {.on_cell = add, .on_record = [](int64_t, int) { return absl::OkStatus(); }},
                   line.size());
  absl::Status status = reader.Feed(line);
  if (status.ok()) status = reader.Finish();
  if (!status.ok()) return status;
  return cells;
}

std::string CsvNumber(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  char text[32];
  const std::to_chars_result result = std::to_chars(text, text + sizeof(text), value);
  return std::string(text, result.ptr);
}

absl::StatusOr<double> ParseCsvNumber(absl::string_view cell) {
  double value = 0;
  if (absl::SimpleAtod(cell, &value)) return value;
  return absl::InvalidArgumentError(absl::StrCat("'", cell, "' is not a number"));
}

}  // namespace aisivi::experiments
