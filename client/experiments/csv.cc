#include "client/experiments/csv.h"

#include <charconv>
#include <cmath>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"

namespace aisivi::experiments {
namespace {

std::string Quoted(const std::string& cell) {
  const std::string flat = absl::StrReplaceAll(cell, {{"\n", " "}, {"\r", " "}});
  if (flat.find_first_of(",\"") == std::string::npos) return flat;
  return absl::StrCat("\"", absl::StrReplaceAll(flat, {{"\"", "\"\""}}), "\"");
}

}  // namespace

std::string CsvLine(const std::vector<std::string>& cells) {
  return absl::StrJoin(cells, ",",
                       [](std::string* line, const std::string& cell) { *line += Quoted(cell); }) +
         "\n";
}

absl::StatusOr<std::vector<std::string>> ParseCsvLine(absl::string_view line) {
  std::vector<std::string> cells(1);
  bool quoted = false;
  for (size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (c == '"' && quoted && i + 1 < line.size() && line[i + 1] == '"') {
      cells.back() += line[++i];
    } else if (c == '"') {
      quoted = !quoted;
    } else if (c == ',' && !quoted) {
      cells.emplace_back();
    } else if (c != '\r') {
      cells.back() += c;
    }
  }
  if (quoted) return absl::InvalidArgumentError("a quote is not closed");
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
