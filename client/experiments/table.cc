#include "client/experiments/table.h"

#include <cmath>
#include <fstream>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "client/cli/terminal.h"
#include "client/experiments/csv.h"
#include "client/experiments/statistics.h"

namespace aisivi::experiments {
namespace {

std::string MarkdownRow(const std::vector<std::string>& cells) {
  std::string row = "|";
  for (const std::string& cell : cells) {
    absl::StrAppend(&row, " ", absl::StrReplaceAll(cell, {{"|", "\\|"}, {"\n", " "}}), " |");
  }
  return row + "\n";
}

}  // namespace

void ReportTable::AddRow(std::vector<std::string> cells) {
  cells.resize(header_.size());
  rows_.push_back(std::move(cells));
}

std::string ReportTable::ToMarkdown() const {
  std::string text = MarkdownRow(header_) + "|";
  for (size_t i = 0; i < header_.size(); ++i) text += "---|";
  text += "\n";
  for (const std::vector<std::string>& row : rows_) text += MarkdownRow(row);
  return text;
}

std::string ReportTable::ToCsv() const {
  std::string text = CsvLine(header_);
  for (const std::vector<std::string>& row : rows_) text += CsvLine(row);
  return text;
}

std::string MedianAndRange(const std::vector<double>& values) {
  const std::vector<double> finite = Finite(values);
  const std::string median = cli::FormatNumber(Median(finite), 3);
  if (finite.size() < 2) return median;
  return absl::StrCat(median, " (", cli::FormatNumber(Smallest(finite), 3), " – ",
                      cli::FormatNumber(Largest(finite), 3), ")");
}

absl::Status WriteWholeFile(const std::filesystem::path& file, const std::string& content) {
  const std::filesystem::path partial = file.string() + ".partial";
  std::ofstream stream(partial, std::ios::binary);
  stream << content;
  stream.close();
  std::error_code error;
  if (!stream.fail()) std::filesystem::rename(partial, file, error);
  if (!stream.fail() && !error) return absl::OkStatus();
  std::filesystem::remove(partial, error);
  return absl::ResourceExhaustedError(absl::StrCat("--out: ", file.string(), " cannot be written"));
}

}  // namespace aisivi::experiments
