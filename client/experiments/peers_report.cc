#include "client/experiments/peers_report.h"

#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "client/cli/terminal.h"
#include "client/experiments/csv.h"
#include "client/experiments/report.h"
#include "client/experiments/statistics.h"
#include "client/experiments/table.h"

namespace aisivi::experiments {
namespace {

constexpr const char* kWays[] = {"aisivi", kNuts};

std::string Number(double value, int digits = 3) { return cli::FormatNumber(value, digits); }

std::string Way(const std::string& method) {
  return method == kNuts ? "NUTS and bridge sampling" : "aisivi, defaults";
}

std::vector<double> Values(const std::vector<FitResult>& results,
                           double (*value)(const FitResult&)) {
  std::vector<double> values;
  for (const FitResult& result : results) values.push_back(value(result));
  return Finite(values);
}

double Seconds(const FitResult& r) { return r.seconds; }
double Gradients(const FitResult& r) { return MeasureOf(r, kGradients); }
double LogZ(const FitResult& r) { return r.log_z; }
double Error(const FitResult& r) { return r.log_z_se; }

// The exact log Z, which our fits know where anybody does.
double KnownLogZ(const Peers& peers, const std::string& target) {
  return Median(
      Values(ResultsOf(peers, target, "aisivi"), [](const FitResult& r) { return r.known_log_z; }));
}

ReportTable Table(const Peers& peers) {
  ReportTable table({"target", "way", "seconds", "gradients", "log Z", "±", "log Z − truth", "gap",
                     "R̂", "seeds"});
  for (const std::string& target : peers.targets) {
    const double known = KnownLogZ(peers, target);
    for (const char* way : kWays) {
      const std::vector<FitResult> results = ResultsOf(peers, target, way);
      const double log_z = Median(Values(results, LogZ));
      table.AddRow(
          {target, Way(way), MedianAndRange(Values(results, Seconds)),
           cli::FormatNumber(Median(Values(results, Gradients)), 3), cli::FormatFixed(log_z, 4),
           Number(Median(Values(results, Error)), 2), cli::FormatFixed(log_z - known, 4),
           Number(Median(Values(results, Gap))),
           Number(Median(Values(results, [](const FitResult& r) { return MeasureOf(r, kRHat); }))),
           absl::StrCat(results.size())});
    }
  }
  return table;
}

ReportTable Numbers(const Peers& peers) {
  ReportTable table({"target", "way", "seed", "seconds", "gradients", "log_z", "log_z_se",
                     "known_log_z", "elbo_lower", "r_hat", "divergences", "compile_seconds"});
  for (const std::string& target : peers.targets) {
    for (const char* way : kWays) {
      for (const FitResult& r : ResultsOf(peers, target, way)) {
        std::vector<std::string> cells = {target, way, absl::StrCat(r.key.seed)};
        for (const double value :
             {r.seconds, Gradients(r), r.log_z, r.log_z_se, KnownLogZ(peers, target), r.elbo_lower,
              MeasureOf(r, kRHat), MeasureOf(r, kDivergences), MeasureOf(r, kCompileSeconds)}) {
          cells.push_back(CsvNumber(value));
        }
        table.AddRow(std::move(cells));
      }
    }
  }
  return table;
}

void ExplainMissing(const Peers& peers, Report* report) {
  if (!peers.missing.empty()) {
    report->Paragraph(absl::StrCat(
        "NUTS and bridge sampling were not run now: R's packages for them are not all installed. "
        "On "
        "Debian: `apt-get install ",
        absl::StrJoin(peers.missing, " "), "`; the same command then adds what is left out here."));
  }
  for (const std::string& failure : peers.failures) report->Paragraph(failure);
}

std::string CompareLogZ(const std::vector<FitResult>& ours, const std::vector<FitResult>& nuts) {
  const double difference = Median(Values(ours, LogZ)) - Median(Values(nuts, LogZ));
  const double error = std::hypot(Median(Values(ours, Error)), Median(Values(nuts, Error)));
  if (!std::isfinite(difference) || !std::isfinite(error)) return "Their log Z cannot be compared.";
  return absl::StrCat("Their log Z differ by ", Number(std::abs(difference), 2), ", ",
                      Number(std::abs(difference) / error, 2), " of their joint standard error of ",
                      Number(error, 2),
                      std::abs(difference) <= 2 * error ? ": they agree." : ": they do not agree.");
}

}  // namespace

std::vector<FitResult> ResultsOf(const Peers& peers, const std::string& target,
                                 const std::string& method) {
  std::vector<FitResult> chosen;
  for (const FitResult& result : peers.results) {
    if (result.key.target == target && result.key.method == method && result.state == "SUCCEEDED") {
      chosen.push_back(result);
    }
  }
  return chosen;
}

std::string ComparePeers(const Peers& peers, const std::string& target) {
  const std::vector<FitResult> ours = ResultsOf(peers, target, "aisivi");
  const std::vector<FitResult> nuts = ResultsOf(peers, target, kNuts);
  if (ours.empty() || nuts.empty()) {
    return absl::StrCat(target, ": there is nothing of ", Way(ours.empty() ? "aisivi" : kNuts),
                        " to compare with.");
  }
  const double seconds = Median(Values(ours, Seconds)) / Median(Values(nuts, Seconds));
  const double gradients = Median(Values(ours, Gradients)) / Median(Values(nuts, Gradients));
  return absl::StrCat(target, ": our fit took ", Number(seconds),
                      " times as long as NUTS with bridge sampling, and at least ",
                      Number(gradients), " times as many gradients. ", CompareLogZ(ours, nuts));
}

absl::Status WritePeersReport(const Settings& settings, const Peers& peers) {
  Report report("Beside NUTS and bridge sampling", "peers", settings);
  report.Paragraph(absl::StrCat(
      "Our fits by aisivi with the defaults, and Stan's NUTS (", peers.nuts.chains, " chains of ",
      peers.nuts.warmup, " + ", peers.nuts.draws,
      " draws) with bridge sampling, by R's rstan and bridgesampling, on the same densities: a "
      "logistic regression on `",
      peers.data,
      "` with prior precision 0.01, the eight schools (non-centred), and Neal's funnel in ten "
      "dimensions. The Stan programs stand beside this report."));
  report.Paragraph(
      "Seconds: of NUTS without the compilation of the program. Gradients: of NUTS every leapfrog "
      "step, warm-up included; of our fits those of the search for modes and of training, so that "
      "they are the fewest it can have been. Medians over the seeds.");
  ExplainMissing(peers, &report);
  report.Table(Table(peers));
  for (const std::string& target : peers.targets) report.Paragraph(ComparePeers(peers, target));
  report.Picture("peers", "Seconds, gradients and the standard error of log Z");
  absl::Status status = WriteWholeFile(settings.out / "peers.csv", Numbers(peers).ToCsv());
  return status.ok() ? report.Write() : status;
}

}  // namespace aisivi::experiments
