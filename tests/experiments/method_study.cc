// Fits every built-in target with every method, over seeds, in this process, and writes a table of
// targets × methods: the median gap, and what did not end with a finite result. A fit is one line
// of a CSV file; those already there are not repeated, so that a study can be taken up again.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cmath>
#include <fstream>
#include <iostream>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <tuple>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "engine/evidence/verdict.h"
#include "engine/fit/fit.h"
#include "engine/methods/methods.h"
#include "engine/targets/registry.h"

namespace aisivi::experiments {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

struct Flags {
  std::string out = "method_study.csv", report = "METHODS.md";
  uint64_t seeds = 10;
  int64_t iterations = FitOptions().iterations;
  double time_limit = 0;
  int threads = 0;
  std::vector<std::string> methods, targets;
};

struct Row {
  std::string target, method;
  uint64_t seed = 0;
  std::string outcome;  // the termination reason, or an error
  double log_z = kNan, standard_error = kNan, elbo = kNan, seconds = 0;
};

constexpr char kHeader[] = "target,method,seed,outcome,log_z,standard_error,elbo,seconds";

std::string ToCsv(const Row& r) {
  return absl::StrFormat("%s,%s,%d,%s,%.8g,%.3g,%.8g,%.2f", r.target, r.method, r.seed, r.outcome,
                         r.log_z, r.standard_error, r.elbo, r.seconds);
}

std::optional<Row> FromCsv(const std::string& line) {
  const std::vector<std::string> f = absl::StrSplit(line, ',');
  Row r;
  if (f.size() != 8 || !absl::SimpleAtoi(f[2], &r.seed) || !absl::SimpleAtod(f[4], &r.log_z) ||
      !absl::SimpleAtod(f[5], &r.standard_error) || !absl::SimpleAtod(f[6], &r.elbo) ||
      !absl::SimpleAtod(f[7], &r.seconds)) {
    return std::nullopt;
  }
  r.target = f[0];
  r.method = f[1];
  r.outcome = f[3];
  return r;
}

std::vector<Row> ReadRows(const std::string& path) {
  std::vector<Row> rows;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (std::optional<Row> row = FromCsv(line)) rows.push_back(*std::move(row));
  }
  return rows;
}

std::string ReasonName(TerminationReason reason) {
  switch (reason) {
    case TerminationReason::kNone:
      return "none";
    case TerminationReason::kIterationLimit:
      return "iterations";
    case TerminationReason::kConverged:
      return "converged";
    case TerminationReason::kTimeLimit:
      return "time limit";
    case TerminationReason::kCancelled:
      return "cancelled";
    case TerminationReason::kNumericalError:
      return "numerical error";
    case TerminationReason::kTargetLost:
      return "target lost";
  }
  return "";
}

// The parameters of the target: its defaults or, where some are required, its example.
TargetParameters ParametersOf(const TargetEntry& entry) {
  return entry.make({}).ok() ? TargetParameters{} : entry.example;
}

Row Measured(const TargetEntry& entry, const std::string& method, uint64_t seed, const Flags& flags,
             ThreadPool& pool) {
  Row row{.target = entry.name, .method = method, .seed = seed};
  const absl::StatusOr<std::unique_ptr<const Target>> target = entry.make(ParametersOf(entry));
  FitOptions options;
  options.method = method;
  options.seed = seed;
  options.iterations = flags.iterations;
  options.time_limit = flags.time_limit;
  const auto start = std::chrono::steady_clock::now();
  const absl::StatusOr<FitResult> result =
      target.ok() ? RunFit(**target, options, pool) : absl::StatusOr<FitResult>(target.status());
  row.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  if (!result.ok()) {
    row.outcome = absl::StatusCodeToString(result.status().code());
    return row;
  }
  row.outcome = result->model == nullptr ? "no model" : ReasonName(result->reason);
  row.log_z = result->evidence.log_z;
  row.standard_error = result->evidence.standard_error;
  row.elbo = result->evidence.elbo_lower;
  return row;
}

// With a model and finite numbers, whatever ended it but an error.
bool EndedWell(const Row& row, bool samples) {
  static const std::set<std::string> kEnds = {"iterations", "converged", "time limit",
                                              "numerical error"};
  return kEnds.contains(row.outcome) && std::isfinite(row.log_z) &&
         (samples || std::isfinite(row.elbo));
}

double MedianOf(std::vector<double> values) {
  if (values.empty()) return kNan;
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

// What the gaps of a target are measured from: its log Z or, where that is not known, the median
// estimate of "reference".
double Truth(const TargetEntry& entry, const std::vector<Row>& rows) {
  if (entry.known_log_z) {
    if (const std::optional<double> known = entry.known_log_z(ParametersOf(entry))) return *known;
  }
  std::vector<double> estimates;
  for (const Row& row : rows) {
    if (row.target == entry.name && row.method == "reference" && std::isfinite(row.log_z)) {
      estimates.push_back(row.log_z);
    }
  }
  return MedianOf(estimates);
}

std::string Cell(const std::vector<Row>& rows, const std::string& target, const MethodEntry& method,
                 double truth) {
  std::vector<double> gaps, seconds;
  int total = 0, well = 0;
  for (const Row& row : rows) {
    if (row.target != target || row.method != method.name) continue;
    ++total;
    well += EndedWell(row, method.samples) ? 1 : 0;
    gaps.push_back(method.samples ? std::abs(row.log_z - truth) : truth - row.elbo);
    seconds.push_back(row.seconds);
  }
  if (total == 0) return "";
  return absl::StrFormat("%.3f, %.0f s%s", MedianOf(gaps), MedianOf(seconds),
                         well == total ? "" : absl::StrFormat(" (**%d of %d**)", well, total));
}

std::string Report(const std::vector<Row>& rows, const Flags& flags) {
  std::string text =
      "# Every method on every built-in target\n\nWritten by `tests/experiments/method_study`, "
      "which fits with default settings of each method. Cells: the median of log Z − elbo_lower "
      "(of \"reference\": of |log Ẑ − log Z|), nats, and the median time; where a fit did not end "
      "with a finite result, how many did, of how many. Where log Z is not known, the median "
      "estimate of \"reference\" stands for it.\n";
  absl::StrAppend(
      &text, "\nSeeds 1 to ", flags.seeds, ", ", flags.iterations, " iterations",
      flags.time_limit > 0 ? absl::StrCat(", at most ", flags.time_limit, " s a fit") : "",
      ".\n\n| target |");
  for (const MethodEntry& method : MethodRegistry()) absl::StrAppend(&text, " ", method.name, " |");
  absl::StrAppend(&text, "\n|---|");
  for (size_t i = 0; i < MethodRegistry().size(); ++i) absl::StrAppend(&text, "---|");
  int well = 0;
  for (const TargetEntry& entry : TargetRegistry()) {
    const double truth = Truth(entry, rows);
    absl::StrAppend(&text, "\n| ", entry.name, " |");
    for (const MethodEntry& method : MethodRegistry()) {
      absl::StrAppend(&text, " ", Cell(rows, entry.name, method, truth), " |");
    }
  }
  for (const Row& row : rows) {
    const absl::StatusOr<const MethodEntry*> method = FindMethod(row.method);
    well += method.ok() && EndedWell(row, (*method)->samples) ? 1 : 0;
  }
  absl::StrAppend(&text, "\n\nOf all ", rows.size(), " fits ", well,
                  " ended with a finite result.\n");
  return text;
}

template <typename Entry>
bool Wanted(const std::vector<std::string>& names, const Entry& entry) {
  return names.empty() || std::find(names.begin(), names.end(), entry.name) != names.end();
}

absl::Status Run(const Flags& flags) {
  std::vector<Row> rows = ReadRows(flags.out);
  std::set<std::tuple<std::string, std::string, uint64_t>> known;
  for (const Row& row : rows) known.emplace(row.target, row.method, row.seed);
  std::ofstream out(flags.out, std::ios::app);
  if (!out) return absl::NotFoundError(absl::StrCat(flags.out, ": cannot be written"));
  if (rows.empty()) out << kHeader << std::endl;
  ThreadPool pool(flags.threads);
  for (uint64_t seed = 1; seed <= flags.seeds; ++seed) {
    for (const TargetEntry& entry : TargetRegistry()) {
      for (const MethodEntry& method : MethodRegistry()) {
        if (!Wanted(flags.methods, method) || !Wanted(flags.targets, entry)) continue;
        if (known.contains({entry.name, method.name, seed})) continue;
        rows.push_back(Measured(entry, method.name, seed, flags, pool));
        out << ToCsv(rows.back()) << std::endl;
        std::cout << ToCsv(rows.back()) << std::endl;
      }
    }
    std::ofstream(flags.report) << Report(rows, flags);
  }
  std::ofstream(flags.report) << Report(rows, flags);
  return absl::OkStatus();
}

}  // namespace
}  // namespace aisivi::experiments

int main(int argc, char** argv) {
  aisivi::experiments::Flags flags;
  CLI::App app("Fits every built-in target with every method.");
  app.add_option("--out", flags.out, "CSV file of results, kept and extended")->take_last();
  app.add_option("--report", flags.report, "the table to write")->take_last();
  app.add_option("--seeds", flags.seeds, "seeds 1 to this");
  app.add_option("--iterations", flags.iterations, "family steps");
  app.add_option("--time_limit", flags.time_limit, "seconds a fit may take; 0: no limit");
  app.add_option("--threads", flags.threads, "threads of a fit; 0: one per core");
  app.add_option("--methods", flags.methods, "only these")->delimiter(',');
  app.add_option("--targets", flags.targets, "only these")->delimiter(',');
  CLI11_PARSE(app, argc, argv);
  const absl::Status status = aisivi::experiments::Run(flags);
  if (status.ok()) return 0;
  std::cerr << "method_study: " << status << "\n";
  return 1;
}
