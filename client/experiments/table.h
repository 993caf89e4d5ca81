// A table of a report: for people in Markdown, for programs in CSV.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "absl/status/status.h"

namespace aisivi::experiments {

class ReportTable {
 public:
  explicit ReportTable(std::vector<std::string> header) : header_(std::move(header)) {}
  // Missing cells are empty.
  void AddRow(std::vector<std::string> cells);
  bool empty() const { return rows_.empty(); }

  // A '|' or a line break in a cell does not break the table.
  std::string ToMarkdown() const;
  std::string ToCsv() const;

 private:
  std::vector<std::string> header_;
  std::vector<std::vector<std::string>> rows_;
};

// "0.0853 (0.071 – 0.12)": median, smallest and largest of the finite values, with three digits;
// one value alone without brackets; "-" without any.
std::string MedianAndRange(const std::vector<double>& values);

// Writes a file whole or not at all. RESOURCE_EXHAUSTED naming --out when it cannot be written.
absl::Status WriteWholeFile(const std::filesystem::path& file, const std::string& content);

}  // namespace aisivi::experiments
