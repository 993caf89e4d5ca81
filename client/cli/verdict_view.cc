#include "client/cli/verdict_view.h"

#include <limits>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "client/cli/terminal.h"
#include "client/names.h"

namespace aisivi::cli {
namespace {

using Criterion = v1::FitVerdict::Criterion;

Style StyleOf(v1::FitVerdict::Grade grade) {
  return grade == v1::FitVerdict::GRADE_GOOD     ? Style::kGreen
         : grade == v1::FitVerdict::GRADE_USABLE ? Style::kYellow
                                                 : Style::kRed;
}

std::string Threshold(const Criterion& criterion, double threshold) {
  return absl::StrFormat("%s %g", criterion.at_least() ? "≥" : "≤", threshold);
}

std::string CriteriaTable(const v1::FitVerdict& verdict) {
  Table table({"<CRITERION", "VALUE", "<GOOD", "<USABLE", "<VERDICT"});
  for (const Criterion& c : verdict.criteria()) {
    const double value = c.has_value() ? c.value() : std::numeric_limits<double>::quiet_NaN();
    table.AddRow({c.name(), FormatNumber(value), Threshold(c, c.good_threshold()),
                  c.has_usable_threshold() ? Threshold(c, c.usable_threshold()) : "any",
                  GradeWord(c.grade())});
  }
  std::string text;
  for (const absl::string_view line : absl::StrSplit(table.ToString(), '\n', absl::SkipEmpty())) {
    absl::StrAppend(&text, "  ", line, "\n");
  }
  return text;
}

}  // namespace

std::string GradeWord(v1::FitVerdict::Grade grade) {
  if (grade == v1::FitVerdict::GRADE_UNSPECIFIED) return "-";
  const std::string word =
      absl::StrReplaceAll(absl::AsciiStrToLower(ShortName(grade)), {{"_", " "}});
  return Styled(StyleOf(grade), word);
}

std::string DescribeVerdict(const v1::FitVerdict& verdict) {
  if (verdict.grade() == v1::FitVerdict::GRADE_UNSPECIFIED) return "";
  std::string text = absl::StrCat("  ", Styled(Style::kDim, "verdict        "),
                                  Styled(StyleOf(verdict.grade()), verdict.sentence()), "\n");
  if (verdict.criteria().empty()) return text;
  text += CriteriaTable(verdict);
  for (const Criterion& c : verdict.criteria()) {
    if (c.grade() == v1::FitVerdict::GRADE_GOOD) continue;
    absl::StrAppend(&text, "  ", Styled(Style::kDim, absl::StrCat(c.name(), ": ", c.explanation())),
                    "\n");
  }
  return text;
}

}  // namespace aisivi::cli
