#include "tests/experiments/study_record.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <map>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"

namespace aisivi::experiments {
namespace {

// One column: its name, and the field as text and back.
struct Field {
  std::string name;
  std::function<std::string(const StudyRecord&)> write;
  std::function<bool(const std::string&, StudyRecord*)> read;
};

Field Text(const char* name, std::string StudyRecord::*member) {
  return {name,
          [=](const StudyRecord& r) {
            return absl::StrReplaceAll(r.*member, {{",", ";"}, {"\n", " "}});
          },
          [=](const std::string& cell, StudyRecord* r) {
            r->*member = cell;
            return true;
          }};
}

template <typename T>
Field Count(const char* name, T StudyRecord::*member) {
  return {name, [=](const StudyRecord& r) { return absl::StrCat(r.*member); },
          [=](const std::string& cell, StudyRecord* r) {
            return absl::SimpleAtoi(cell, &(r->*member));
          }};
}

Field Number(const char* name, double StudyRecord::*member) {
  return {name, [=](const StudyRecord& r) { return absl::StrFormat("%.6g", r.*member); },
          [=](const std::string& cell, StudyRecord* r) {
            return absl::SimpleAtod(cell, &(r->*member));
          }};
}

const std::vector<Field>& Fields() {
  using R = StudyRecord;
  static const auto* const kFields = new std::vector<Field>{
      Text("name", &R::name),
      Count("seed", &R::seed),
      Count("dimension", &R::dimension),
      Count("components", &R::components),
      Text("verdict", &R::verdict),
      Number("log_z_error", &R::log_z_error),
      Number("standard_error", &R::standard_error),
      Number("gap", &R::gap),
      Number("pareto_k", &R::pareto_k),
      Number("ess_share", &R::ess_share),
      Count("found", &R::found),
      Number("mass_missed", &R::mass_missed),
      Number("seconds", &R::seconds),
      Count("densities", &R::densities),
      Count("gradients", &R::gradients),
      Text("cause", &R::cause),
      Text("missed", &R::missed),
      Text("search", &R::search),
  };
  return *kFields;
}

bool IsWrong(const StudyRecord& r) { return !(std::abs(r.log_z_error) <= kWrong); }

// The p-quantile (nearest rank) of one number of every record; NaN of none.
double Quantile(const std::vector<const StudyRecord*>& records, double p,
                const std::function<double(const StudyRecord&)>& value) {
  if (records.empty()) return std::numeric_limits<double>::quiet_NaN();
  std::vector<double> values;
  values.reserve(records.size());
  for (const StudyRecord* r : records) values.push_back(value(*r));
  std::sort(values.begin(), values.end());
  return values[static_cast<size_t>(std::lround(p * static_cast<double>(values.size() - 1)))];
}

std::string VerdictTable(const std::vector<StudyRecord>& records) {
  std::string text =
      "| verdict | fits | wrong | \\|error\\|, median / 9 in 10 / worst | gap, median / worst | "
      "seconds, median / worst |\n|---|---|---|---|---|---|\n";
  const auto error = [](const StudyRecord& r) { return std::abs(r.log_z_error); };
  const auto gap = [](const StudyRecord& r) { return r.gap; };
  const auto seconds = [](const StudyRecord& r) { return r.seconds; };
  for (const char* verdict : {"good", "usable", "do not trust", "none"}) {
    std::vector<const StudyRecord*> chosen;
    for (const StudyRecord& r : records) {
      if (r.verdict == verdict) chosen.push_back(&r);
    }
    if (chosen.empty()) continue;
    const auto wrong = std::count_if(chosen.begin(), chosen.end(),
                                     [](const StudyRecord* r) { return IsWrong(*r); });
    absl::StrAppendFormat(
        &text, "| %s | %d | %d | %.4f / %.4f / %.4f | %.4f / %.4f | %.1f / %.1f |\n", verdict,
        chosen.size(), wrong, Quantile(chosen, 0.5, error), Quantile(chosen, 0.9, error),
        Quantile(chosen, 1, error), Quantile(chosen, 0.5, gap), Quantile(chosen, 1, gap),
        Quantile(chosen, 0.5, seconds), Quantile(chosen, 1, seconds));
  }
  return text;
}

// How many of the good ones have which k̂, and how many of them are wrong.
std::string TailTable(const std::vector<StudyRecord>& records) {
  std::string text = "| k̂ of the good | fits | wrong |\n|---|---|---|\n";
  double low = -std::numeric_limits<double>::infinity();
  for (const auto& [high, label] :
       {std::pair{0.5, "to 0.5"}, std::pair{0.7, "0.5 to 0.7"}, std::pair{1e300, "above 0.7"}}) {
    int fits = 0, wrong = 0;
    for (const StudyRecord& r : records) {
      if (r.verdict != "good" || !(r.pareto_k > low && r.pareto_k <= high)) continue;
      ++fits;
      wrong += IsWrong(r);
    }
    absl::StrAppend(&text, "| ", label, " | ", fits, " | ", wrong, " |\n");
    low = high;
  }
  return text;
}

// The heaviest of the components that were missed.
std::string MissedBriefly(const StudyRecord& r) {
  constexpr size_t kTold = 3;
  std::vector<std::string> parts = absl::StrSplit(r.missed, "; ", absl::SkipEmpty());
  if (parts.empty()) return "";
  const size_t rest = parts.size() - std::min(parts.size(), kTold);
  parts.resize(parts.size() - rest);
  return absl::StrCat(": ", absl::StrJoin(parts, "; "),
                      rest == 0 ? "" : absl::StrCat("; and ", rest, " lighter ones"));
}

std::string Description(const StudyRecord& r) {
  return absl::StrFormat(
      "%s, seed %d: D = %d, %d components, %d found; log Z off by %+.4f (standard error %.4f), gap "
      "%.4f, k̂ %.2f; %s%s",
      r.name, r.seed, r.dimension, r.components, r.found, r.log_z_error, r.standard_error, r.gap,
      r.pareto_k, r.cause, MissedBriefly(r));
}

}  // namespace

std::string StudyHeader() {
  return absl::StrJoin(Fields(), ",", [](std::string* out, const Field& f) { *out += f.name; });
}

std::string ToCsv(const StudyRecord& record) {
  return absl::StrJoin(Fields(), ",",
                       [&](std::string* out, const Field& f) { *out += f.write(record); });
}

absl::StatusOr<StudyRecord> FromCsv(const std::string& line) {
  const std::vector<std::string> cells = absl::StrSplit(line, ',');
  StudyRecord record;
  bool fine = cells.size() == Fields().size();
  for (size_t i = 0; fine && i < cells.size(); ++i) fine = Fields()[i].read(cells[i], &record);
  if (!fine) return absl::InvalidArgumentError(absl::StrCat("not a record: ", line));
  return record;
}

std::string StudySummary(const std::vector<StudyRecord>& records) {
  int good = 0, wrong = 0;
  std::map<std::string, int> causes;
  std::string list;
  for (const StudyRecord& r : records) {
    if (r.verdict != "good") continue;
    ++good;
    if (!IsWrong(r)) continue;
    ++wrong;
    ++causes[r.cause];
    absl::StrAppend(&list, "- ", Description(r), "\n");
  }
  std::string text = absl::StrCat(VerdictTable(records), "\n", TailTable(records), "\n");
  absl::StrAppendFormat(&text,
                        "Wrong (log Z off by more than %g) among the good: %d of %d, %.1f %%.\n",
                        kWrong, wrong, good, good == 0 ? 0.0 : 100.0 * wrong / good);
  for (const auto& [cause, count] : causes) absl::StrAppend(&text, count, " × ", cause, "\n");
  return absl::StrCat(text, list);
}

std::string StudyTable(const std::vector<StudyRecord>& records) {
  std::string text =
      "| mixture | seed | found | log Z error | gap | k̂ | verdict | seconds | gradients |\n"
      "|---|---|---|---|---|---|---|---|---|\n";
  for (const StudyRecord& r : records) {
    absl::StrAppendFormat(&text,
                          "| %s | %d | %d of %d | %+.4f ± %.4f | %.4f | %.2f | %s | %.1f | %d |\n",
                          r.name, r.seed, r.found, r.components, r.log_z_error, r.standard_error,
                          r.gap, r.pareto_k, r.verdict, r.seconds, r.gradients);
  }
  return text;
}

}  // namespace aisivi::experiments
