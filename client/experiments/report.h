// report.md of an experiment, piece by piece.
#pragma once

#include <filesystem>
#include <string>

#include "absl/status/status.h"
#include "client/experiments/settings.h"
#include "client/experiments/table.h"

namespace aisivi::experiments {

class Report {
 public:
  // Begins with the title and with how it was made.
  Report(const std::string& title, const std::string& experiment, const Settings& settings);

  void Heading(const std::string& text);
  void Paragraph(const std::string& text);
  void Table(const ReportTable& table);
  // The picture NAME.png, which also is there as NAME.svg.
  void Picture(const std::string& name, const std::string& caption);

  const std::string& text() const { return text_; }
  // As report.md in the folder of the settings.
  absl::Status Write() const;

 private:
  const std::filesystem::path folder_;
  std::string text_;
};

}  // namespace aisivi::experiments
