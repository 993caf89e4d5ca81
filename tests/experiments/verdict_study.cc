// Fits many Gaussian mixtures with default settings, in this process, and holds every verdict
// against the truth. A fit is one line of a CSV file; those already there are not repeated, so that
// a study can be taken up again.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <fstream>
#include <iostream>
#include <limits>
#include <numeric>
#include <set>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "engine/evidence/verdict.h"
#include "engine/fit/fit.h"
#include "tests/experiments/mixture_case.h"
#include "tests/experiments/study_record.h"

namespace aisivi::experiments {
namespace {

constexpr int64_t kDraws = 20000;  // of q, to tell which components it covers
// A component is met when it has at least this part of the draws that are its due.
constexpr double kMet = 0.1;

struct Flags {
  std::string out = "verdict_study.csv";
  uint64_t first_seed = 1, seeds = 200;
  int threads = 0;
  double time_limit = 0;
  bool very_unequal = false;
  bool fixed = false;
  std::vector<std::string> only;
};

// Passes everything on and counts the points.
class CountingTarget final : public Target {
 public:
  explicit CountingTarget(const Target& target) : target_(target) {}

  int dim() const override { return target_.dim(); }
  absl::Status Evaluate(const Eigen::Ref<const Eigen::MatrixXd>& z, Eigen::VectorXd* log_density,
                        Eigen::MatrixXd* score) const override {
    (score == nullptr ? densities_ : gradients_) += z.cols();
    return target_.Evaluate(z, log_density, score);
  }
  int64_t densities() const { return densities_; }
  int64_t gradients() const { return gradients_; }

 private:
  const Target& target_;
  mutable std::atomic<int64_t> densities_{0}, gradients_{0};
};

std::string VerdictName(const FitResult& result, int64_t dimension) {
  if (result.model == nullptr) return "none";
  VerdictInput input;
  input.evidence = result.evidence;
  input.score_residual = TypicalScoreResidual(result.history);
  input.search = result.search;
  input.dimension = dimension;
  input.r_hat = result.r_hat;
  switch (JudgeFit(input).verdict) {
    case Verdict::kGood:
      return "good";
    case Verdict::kUsable:
      return "usable";
    case Verdict::kDoNotTrust:
      return "do not trust";
  }
  return "";
}

// Which components the draws of q meet, and what the others have in common.
void CompareDraws(const MixtureCase& mixture, const Eigen::MatrixXd& z, StudyRecord* record) {
  const Eigen::VectorXd share = ComponentShares(mixture, z);
  const auto met = [&](Eigen::Index c) { return share[c] >= kMet * mixture.weights[c]; };
  std::vector<Eigen::Index> heaviest_first(mixture.components());
  std::iota(heaviest_first.begin(), heaviest_first.end(), 0);
  std::stable_sort(
      heaviest_first.begin(), heaviest_first.end(),
      [&](Eigen::Index a, Eigen::Index b) { return mixture.weights[a] > mixture.weights[b]; });
  std::vector<std::string> missed;
  for (const Eigen::Index c : heaviest_first) {
    if (met(c)) {
      ++record->found;
      continue;
    }
    record->mass_missed += mixture.weights[c];
    double distance = std::numeric_limits<double>::infinity();
    for (Eigen::Index other = 0; other < mixture.components(); ++other) {
      if (!met(other)) continue;
      distance = std::fmin(distance, (mixture.means.col(c) - mixture.means.col(other)).norm());
    }
    missed.push_back(absl::StrFormat("weight %.4f scale %.2f distance %.1f", mixture.weights[c],
                                     mixture.Scale(c), distance));
  }
  record->missed = absl::StrJoin(missed, "; ");
}

std::string Cause(const StudyRecord& r) {
  if (std::abs(r.log_z_error) <= kWrong) return "";
  const double tolerance = 0.05 + 4 * r.standard_error;
  const double without = std::log1p(-r.mass_missed);
  if (r.mass_missed > 0 && std::abs(r.log_z_error - without) <= tolerance) return "missed modes";
  if (r.log_z_error > 0) return "log Z too high";
  return r.mass_missed > 0 ? "missed modes and more" : "every mode met but not all of its mass";
}

absl::StatusOr<StudyRecord> Measured(const MixtureCase& mixture, const Flags& flags,
                                     ThreadPool& pool) {
  const std::unique_ptr<const Target> target = mixture.MakeTarget();
  const CountingTarget counting(*target);
  FitOptions options;
  options.seed = mixture.seed;
  options.time_limit = flags.time_limit;
  const auto start = std::chrono::steady_clock::now();
  const absl::StatusOr<FitResult> result = RunFit(counting, options, pool);
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  StudyRecord record{.name = mixture.name,
                     .seed = mixture.seed,
                     .dimension = mixture.dimension(),
                     .components = mixture.components()};
  record.seconds = seconds.count();
  record.densities = counting.densities();
  record.gradients = counting.gradients();
  if (!result.ok()) {
    record.verdict = "none";
    record.log_z_error = record.gap = kNotAvailable;
    record.cause = std::string(result.status().message());
    return record;
  }
  const EvidenceEstimate& e = result->evidence;
  record.verdict = VerdictName(*result, mixture.dimension());
  record.log_z_error = e.log_z;
  record.standard_error = e.standard_error;
  record.gap = -e.elbo_lower;
  record.pareto_k = e.pareto_k;
  record.ess_share = e.ess / static_cast<double>(e.draws);
  if (result->model != nullptr) {
    const absl::StatusOr<DrawBatch> draws =
        Draw(*result->model, nullptr, mixture.seed, 0, kDraws, 0, pool);
    if (!draws.ok()) return draws.status();
    CompareDraws(mixture, draws->z, &record);
  }
  record.cause = Cause(record);
  std::vector<std::string> lines;
  for (const std::string& line : result->log) {
    if (absl::StrContains(line, "mode")) lines.push_back(line);
  }
  record.search = absl::StrJoin(lines, " ");
  return record;
}

std::vector<StudyRecord> ReadRecords(const std::string& path) {
  std::vector<StudyRecord> records;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    absl::StatusOr<StudyRecord> record = FromCsv(line);
    if (record.ok()) records.push_back(*std::move(record));
  }
  return records;
}

bool IsRandom(std::string_view name) { return name == "random" || name == "very_unequal"; }

std::vector<std::string> Names(const Flags& flags) {
  if (!flags.only.empty()) return flags.only;
  if (flags.fixed) return FixedMixtureNames();
  return {flags.very_unequal ? "very_unequal" : "random"};
}

absl::Status Run(const Flags& flags) {
  std::vector<StudyRecord> records = ReadRecords(flags.out);
  std::set<std::pair<std::string, uint64_t>> known;
  for (const StudyRecord& r : records) known.emplace(r.name, r.seed);
  std::ofstream out(flags.out, std::ios::app);
  if (!out) return absl::NotFoundError(absl::StrCat(flags.out, ": cannot be written"));
  if (records.empty()) out << StudyHeader() << std::endl;
  ThreadPool pool(flags.threads);
  for (uint64_t seed = flags.first_seed; seed < flags.first_seed + flags.seeds; ++seed) {
    for (const std::string& name : Names(flags)) {
      if (known.contains({name, seed})) continue;
      const absl::StatusOr<StudyRecord> record = Measured(
          IsRandom(name) ? RandomMixture(name, seed) : FixedMixture(name, seed), flags, pool);
      if (!record.ok()) return record.status();
      records.push_back(*record);
      out << ToCsv(*record) << std::endl;
      std::cout << absl::StrFormat(
                       "%s, seed %d: D = %d, %d of %d components, %s, log Z off by %+.4f ± %.4f, "
                       "gap %.4f, %.1f s%s%s",
                       name, seed, record->dimension, record->found, record->components,
                       record->verdict, record->log_z_error, record->standard_error, record->gap,
                       record->seconds, record->cause.empty() ? "" : ": ", record->cause)
                << std::endl;
    }
  }
  std::cout << "\n" << (flags.fixed ? StudyTable(records) : StudySummary(records));
  return absl::OkStatus();
}

}  // namespace
}  // namespace aisivi::experiments

int main(int argc, char** argv) {
  using aisivi::experiments::FixedMixtureNames;
  aisivi::experiments::Flags flags;
  CLI::App app("Holds the verdicts of default fits of Gaussian mixtures against the truth.");
  app.add_option("--out", flags.out, "CSV file of results, kept and extended")->take_last();
  app.add_option("--first_seed", flags.first_seed, "the first seed")->take_last();
  CLI::Option* const seeds =
      app.add_option("--seeds", flags.seeds, "so many seeds (default 200; with --fixed 1)")
          ->take_last();
  app.add_option("--threads", flags.threads, "threads of a fit; 0: one per core")->take_last();
  app.add_option("--time_limit", flags.time_limit, "seconds a fit may take; 0: no limit")
      ->take_last();
  app.add_flag("--very_unequal", flags.very_unequal,
               "random mixtures whose widths differ by far more");
  app.add_flag("--fixed", flags.fixed, "the fixed mixtures instead of random ones");
  app.add_option("--only", flags.only, "with --fixed: only these")
      ->delimiter(',')
      ->check(CLI::IsMember(FixedMixtureNames()));
  CLI11_PARSE(app, argc, argv);
  flags.fixed = flags.fixed || !flags.only.empty();
  if (flags.fixed && seeds->count() == 0) flags.seeds = 1;
  const absl::Status status = aisivi::experiments::Run(flags);
  if (status.ok()) return 0;
  std::cerr << "verdict_study: " << status << "\n";
  return 1;
}
