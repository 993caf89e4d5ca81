// Measures default fits against the truth, through a running service. Every fit is one line of a
// file of results; those already there are not repeated, so that a run can be taken up again.
#include <CLI/CLI.hpp>
#include <fstream>
#include <iostream>
#include <set>

#include "absl/strings/str_cat.h"
#include "client/names.h"
#include "tests/experiments/experiment.h"
#include "tests/experiments/record.h"

namespace aisivi::experiments {
namespace {

struct Flags {
  std::string server, data = AISIVI_SHARED_DATA, results = "quality.tsv", report = "QUALITY.md";
  uint64_t seeds = 20;
  uint64_t timed_seeds = 0;
  std::vector<std::string> targets;
};

double Seconds(const v1::Fit& fit) {
  const auto at = [](const google::protobuf::Timestamp& t) {
    return static_cast<double>(t.seconds()) + 1e-9 * t.nanos();
  };
  return at(fit.end_time()) - at(fit.start_time());
}

absl::StatusOr<Record> Measured(const Client& client, const Experiment& experiment, uint64_t seed) {
  v1::Fit request;
  *request.mutable_target() = experiment.target;
  request.set_seed(seed);
  const absl::StatusOr<v1::Fit> created = client.CreateFit(request);
  if (!created.ok()) return created.status();
  const absl::StatusOr<v1::Fit> fit = client.Watch(created->name());
  if (!fit.ok()) return fit.status();
  const v1::LogEvidence& e = fit->evidence();
  Record record{.experiment = experiment.name,
                .seed = seed,
                .state = ShortName(fit->state()),
                .reason = ShortName(fit->termination_reason()),
                .seconds = Seconds(*fit),
                .gap = experiment.log_z - e.elbo_lower(),
                .gap_se = e.elbo_lower_se(),
                .width = e.elbo_upper() - e.elbo_lower(),
                .log_z_error = e.log_z() - experiment.log_z,
                .standard_error = e.standard_error(),
                .pareto_k = e.pareto_k(),
                .trusted = fit->verdict().grade() != v1::FitVerdict::GRADE_DO_NOT_TRUST,
                .measure = std::numeric_limits<double>::quiet_NaN()};
  if (experiment.measure != nullptr && fit->has_posterior()) {
    const absl::StatusOr<double> measure = experiment.measure(client, *fit);
    if (!measure.ok()) return measure.status();
    record.measure = *measure;
  }
  if (absl::Status s = client.Delete(fit->name()); !s.ok()) return s;
  return record;
}

std::vector<Record> ReadRecords(const std::string& path) {
  std::vector<Record> records;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    const absl::StatusOr<Record> record = FromLine(line);
    if (record.ok()) records.push_back(*record);
  }
  return records;
}

absl::Status Run(const Flags& flags) {
  const absl::StatusOr<std::vector<Experiment>> experiments = AllExperiments(flags.data);
  if (!experiments.ok()) return experiments.status();
  const std::set<std::string> wanted(flags.targets.begin(), flags.targets.end());
  std::vector<Record> records = ReadRecords(flags.results);
  std::set<std::pair<std::string, uint64_t>> known;
  for (const Record& r : records) known.emplace(r.experiment, r.seed);
  const Client client(flags.server);
  std::ofstream results(flags.results, std::ios::app);
  for (uint64_t seed = 1; seed <= flags.seeds; ++seed) {
    for (const Experiment& e : *experiments) {
      if (!wanted.empty() && !wanted.contains(e.name)) continue;
      if (known.contains({e.name, seed})) continue;
      const absl::StatusOr<Record> record = Measured(client, e, seed);
      if (!record.ok()) return record.status();
      records.push_back(*record);
      results << ToLine(*record) << std::endl;
      std::cout << absl::StrCat(e.name, ", seed ", seed, ": gap ", record->gap, " in ",
                                record->seconds, " s")
                << std::endl;
      std::ofstream(flags.report) << Report(*experiments, records, flags.timed_seeds);
    }
  }
  std::ofstream(flags.report) << Report(*experiments, records, flags.timed_seeds);
  return absl::OkStatus();
}

}  // namespace
}  // namespace aisivi::experiments

int main(int argc, char** argv) {
  aisivi::experiments::Flags flags;
  CLI::App app("Measures default fits against the truth.");
  app.add_option("--server", flags.server, "HOST:PORT of the service")->required();
  app.add_option("--data", flags.data, "folder of the ground truth files");
  app.add_option("--results", flags.results, "file of results, kept and extended")->take_last();
  app.add_option("--report", flags.report, "the report to write")->take_last();
  app.add_option("--seeds", flags.seeds, "seeds 1 to this");
  app.add_option("--timed_seeds", flags.timed_seeds,
                 "seconds of seeds 1 to this; 0: of all. For a machine that then did other work");
  app.add_option("--targets", flags.targets, "only these")->delimiter(',');
  CLI11_PARSE(app, argc, argv);
  const absl::Status status = aisivi::experiments::Run(flags);
  if (status.ok()) return 0;
  std::cerr << "quality: " << status << "\n";
  return 1;
}
