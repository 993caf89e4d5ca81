// Lines of comma-separated values (engine/data/csv_reader.h): a cell with a comma or a quote is
// quoted.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace aisivi::experiments {

// One line with its '\n'. Line breaks inside a cell become spaces, so that a line is a line.
std::string CsvLine(const std::vector<std::string>& cells);

// The cells of a line without its '\n'; none of a line that is blank or begins with '#'.
// INVALID_ARGUMENT when a quote is not closed.
absl::StatusOr<std::vector<std::string>> ParseCsvLine(absl::string_view line);

// The shortest text that reads back as the same number; "nan", "inf", "-inf".
std::string CsvNumber(double value);

// The whole number or decimal in a cell. INVALID_ARGUMENT otherwise.
absl::StatusOr<double> ParseCsvNumber(absl::string_view cell);

}  // namespace aisivi::experiments
