#include "client/experiments/report.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace aisivi::experiments {
namespace {

std::string HowMade(const std::string& experiment, const Settings& settings) {
  std::string text = absl::StrCat("Written by `aisivi experiment ", experiment, " --size ",
                                  IsQuick(settings) ? "quick" : "paper");
  if (!settings.methods.empty()) {
    absl::StrAppend(&text, " --methods ", absl::StrJoin(settings.methods, ","));
  }
  if (!settings.target.empty()) absl::StrAppend(&text, " --target ", settings.target);
  if (settings.seeds > 0) absl::StrAppend(&text, " --seeds ", settings.seeds);
  for (const std::string& assignment : settings.set) absl::StrAppend(&text, " --set ", assignment);
  absl::StrAppend(&text, "`. ");
  if (IsQuick(settings)) {
    absl::StrAppend(&text, "This is the quick size; `--size paper` runs everything in full. ");
  }
  if (!settings.set.empty()) {
    absl::StrAppend(&text, "Every fit was changed by `", absl::StrJoin(settings.set, " "),
                    "`, so that no figure here compares with a published one. ");
  }
  return absl::StrCat(text, "All logarithms are natural, all divergences in nats.\n\n");
}

}  // namespace

Report::Report(const std::string& title, const std::string& experiment, const Settings& settings)
    : folder_(settings.out),
      text_(absl::StrCat("# ", title, "\n\n", HowMade(experiment, settings))) {}

void Report::Heading(const std::string& text) { absl::StrAppend(&text_, "## ", text, "\n\n"); }

void Report::Paragraph(const std::string& text) { absl::StrAppend(&text_, text, "\n\n"); }

void Report::Table(const ReportTable& table) { absl::StrAppend(&text_, table.ToMarkdown(), "\n"); }

void Report::Picture(const std::string& name, const std::string& caption) {
  absl::StrAppend(&text_, "![", caption, "](", name, ".png)\n\n", caption, " ([SVG](", name,
                  ".svg))\n\n");
}

absl::Status Report::Write() const { return WriteWholeFile(folder_ / "report.md", text_); }

}  // namespace aisivi::experiments
