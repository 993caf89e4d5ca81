#include "tests/experiments/record.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

namespace aisivi::experiments {
namespace {

constexpr double kWarning = 0.7;  // k̂ above it: do not trust log Ẑ
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

double Median(std::vector<double> values) {
  if (values.empty()) return kNan;
  std::sort(values.begin(), values.end());
  const size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : 0.5 * (values[half - 1] + values[half]);
}

double Worst(const std::vector<double>& values) {
  return values.empty() ? kNan : *std::max_element(values.begin(), values.end());
}

std::string Number(double value) {
  if (std::isnan(value)) return "";
  if (std::abs(value) >= 1000) return absl::StrFormat("%.0f", value);
  return absl::StrFormat("%.4f", value);
}

struct Column {
  std::vector<double> gap, gap_se, width, seconds, measure;
  int seeds = 0, succeeded = 0, met = 0, trusted = 0, covered = 0;
  int silent = 0;  // not covered, though k̂ does not warn
};

Column Collect(const Experiment& experiment, const std::vector<Record>& records,
               uint64_t timed_seeds) {
  Column c;
  for (const Record& r : records) {
    if (r.experiment != experiment.name) continue;
    ++c.seeds;
    c.succeeded += r.state == "SUCCEEDED";
    if (timed_seeds == 0 || r.seed <= timed_seeds) c.seconds.push_back(r.seconds);
    if (!std::isnan(r.measure)) c.measure.push_back(r.measure);
    if (!std::isfinite(r.gap)) continue;
    c.gap.push_back(r.gap);
    c.gap_se.push_back(r.gap_se);
    c.width.push_back(r.width);
    // No lower bound is above log Z by more than its noise.
    c.met += r.gap <= experiment.required && r.gap >= -(4 * r.gap_se + 1e-3);
    c.trusted += r.trusted;
    const bool covered =
        std::abs(r.log_z_error) <= 3 * std::hypot(r.standard_error, experiment.log_z_se) + 1e-4;
    c.covered += covered;
    c.silent += !covered && !(r.pareto_k > kWarning);
  }
  return c;
}

std::string Row(const Experiment& e, const Column& c) {
  // The worst measure is the largest, but for the log density, which should be large.
  std::vector<double> measure = c.measure;
  const bool larger_is_better = !measure.empty() && measure[0] > 1000;
  const double worst = measure.empty()    ? kNan
                       : larger_is_better ? *std::min_element(measure.begin(), measure.end())
                                          : Worst(measure);
  return absl::StrCat(
      "| ", e.name, " | ", c.seeds, " | ", c.succeeded, " | ", Number(Median(c.gap)), " | ",
      Number(Worst(c.gap)), " | ", Number(Median(c.gap_se)), " | ", Number(Worst(c.width)), " | ",
      e.required, " / ", e.aim, " | ", c.met, " | ", c.covered, " | ", c.silent, " | ", c.trusted,
      " | ", absl::StrFormat("%.0f / %.0f", Median(c.seconds), Worst(c.seconds)), " | ",
      measure.empty()
          ? ""
          : absl::StrCat(e.measure_name, ": ", Number(Median(measure)), " / ", Number(worst)),
      " |\n");
}

}  // namespace

std::string ToLine(const Record& r) {
  return absl::StrJoin(
      {r.experiment, absl::StrCat(r.seed), r.state, r.reason, absl::StrFormat("%.3f", r.seconds),
       absl::StrFormat("%.6f", r.gap), absl::StrFormat("%.6f", r.gap_se),
       absl::StrFormat("%.6f", r.width), absl::StrFormat("%.6f", r.log_z_error),
       absl::StrFormat("%.6f", r.standard_error), absl::StrFormat("%.3f", r.pareto_k),
       std::string(r.trusted ? "1" : "0"), absl::StrFormat("%.6f", r.measure)},
      "\t");
}

absl::StatusOr<Record> FromLine(const std::string& line) {
  const std::vector<std::string> cells = absl::StrSplit(line, '\t');
  Record r;
  double* const numbers[] = {&r.seconds,        &r.gap,     &r.gap_se, &r.width, &r.log_z_error,
                             &r.standard_error, &r.pareto_k};
  bool fine = cells.size() == 13 && absl::SimpleAtoi(cells[1], &r.seed) &&
              absl::SimpleAtod(cells[12], &r.measure);
  for (size_t i = 0; fine && i < 7; ++i) fine = absl::SimpleAtod(cells[4 + i], numbers[i]);
  if (!fine) return absl::InvalidArgumentError(absl::StrCat("not a record: ", line));
  r.experiment = cells[0];
  r.state = cells[2];
  r.reason = cells[3];
  r.trusted = cells[11] == "1";
  return r;
}

std::string Report(const std::vector<Experiment>& experiments, const std::vector<Record>& records,
                   uint64_t timed_seeds) {
  const std::string timed = timed_seeds == 0
                                ? ""
                                : absl::StrCat(", of seeds 1 to ", timed_seeds,
                                               ": beside the others the machine did other work");
  std::string text = absl::StrCat(
      "# Quality of default fits\n\n"
      "Written by `tests/experiments/quality`, which fits every target below through the service "
      "with default settings.\n"
      "Gap: log Z − elbo_lower, nats; a negative one is Monte Carlo noise, and beyond four of its "
      "errors a miss. Error: the median "
      "standard error of elbo_lower. Width: elbo_upper − elbo_lower, the worst. "
      "Covered: log Ẑ within 3 standard errors of the truth, its own and that of the truth "
      "together; of the others those whose k̂ does not warn are counted beside. Trusted: the "
      "verdict is "
      "GOOD or USABLE. "
      "Seconds: from start to end of a fit",
      timed,
      ". Measures: median / worst.\n\n"
      "Of mixtures of separated Gaussians (multimodal, eight_gaussians, gaussian_grid) the start "
      "is already exact where the search meets every mode: they test the search, not the training. "
      "eight_bananas tests both: its modes have to be met first, and then bent.\n\n"
      "| target | seeds | succeeded | gap, median | gap, worst | error | width | required / aim | "
      "met | covered | missed, k̂ ≤ 0.7 | trusted | seconds, median / worst | measure |\n"
      "|---|---|---|---|---|---|---|---|---|---|---|---|---|---|\n");
  Column all;
  for (const Experiment& e : experiments) {
    const Column c = Collect(e, records, timed_seeds);
    if (c.seeds > 0) absl::StrAppend(&text, Row(e, c));
    all.seeds += c.seeds;
    all.succeeded += c.succeeded;
    all.met += c.met;
    all.covered += c.covered;
    all.silent += c.silent;
  }
  absl::StrAppend(&text, "\nOf all ", all.seeds, " fits ", all.succeeded, " succeeded, ", all.met,
                  " met what is required, and ", all.covered,
                  " cover the truth; of those that do not, k̂ ≤ 0.7 leaves ", all.silent,
                  " without a warning.\n");
  return text;
}

}  // namespace aisivi::experiments
