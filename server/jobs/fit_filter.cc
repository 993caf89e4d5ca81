#include "server/jobs/fit_filter.h"

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "server/convert/settings.h"
#include "server/status.h"
#include "server/text.h"

namespace aisivi::server {
namespace {

constexpr absl::string_view kLabels = "labels.";
constexpr size_t kMaxFilter = 4096;  // bytes

constexpr absl::string_view kState = "STATE_";

std::string FieldValue(const v1::Fit& fit, absl::string_view field) {
  if (field == "state") return v1::Fit::State_Name(fit.state());
  if (field == "method") return MethodName(fit.effective_settings().method());
  if (field == "preset") return fit.preset();
  absl::ConsumePrefix(&field, kLabels);
  const auto label = fit.labels().find(std::string(field));
  return label == fit.labels().end() ? std::string() : label->second;
}

bool IsField(absl::string_view field) {
  return field == "state" || field == "method" || field == "preset" ||
         (absl::StartsWith(field, kLabels) && field.size() > kLabels.size());
}

}  // namespace

absl::StatusOr<FitFilter::Comparison> FitFilter::ParseComparison(absl::string_view text) {
  const size_t equals = text.find('=');
  if (equals == absl::string_view::npos || equals == 0) {
    return FieldError("filter", absl::StrCat(Quoted(text), " is not FIELD=VALUE or FIELD!=VALUE"));
  }
  Comparison comparison;
  comparison.negated = text[equals - 1] == '!';
  comparison.field = std::string(
      absl::StripAsciiWhitespace(text.substr(0, comparison.negated ? equals - 1 : equals)));
  absl::string_view value = absl::StripAsciiWhitespace(text.substr(equals + 1));
  if (value.size() >= 2 && value.front() == '"' && value.back() == '"') {
    value = value.substr(1, value.size() - 2);
  }
  comparison.value = std::string(value);
  if (!IsField(comparison.field)) {
    return FieldError("filter", absl::StrCat("cannot filter by ", Quoted(comparison.field),
                                             "; fields: state, method, preset, labels.KEY"));
  }
  if (comparison.field != "state") return comparison;
  if (!absl::StartsWith(comparison.value, kState)) {
    comparison.value = absl::StrCat(kState, comparison.value);
  }
  v1::Fit::State state;
  if (!v1::Fit::State_Parse(comparison.value, &state)) {
    return FieldError("filter", absl::StrCat("there is no state ", Quoted(value)));
  }
  return comparison;
}

absl::StatusOr<FitFilter> FitFilter::Parse(absl::string_view text) {
  FitFilter filter;
  if (text.size() > kMaxFilter) {
    return FieldError("filter", absl::StrCat("has more than ", kMaxFilter, " bytes"));
  }
  if (absl::StripAsciiWhitespace(text).empty()) return filter;
  for (const absl::string_view part : absl::StrSplit(text, " AND ")) {
    absl::StatusOr<Comparison> comparison = ParseComparison(absl::StripAsciiWhitespace(part));
    if (!comparison.ok()) return comparison.status();
    filter.comparisons_.push_back(*std::move(comparison));
  }
  return filter;
}

bool FitFilter::Matches(const v1::Fit& fit) const {
  for (const Comparison& comparison : comparisons_) {
    if ((FieldValue(fit, comparison.field) == comparison.value) == comparison.negated) return false;
  }
  return true;
}

}  // namespace aisivi::server
