#include "client/experiments/logistic_report.h"

#include <cmath>
#include <limits>

#include "absl/strings/str_cat.h"
#include "client/cli/terminal.h"
#include "client/experiments/csv.h"
#include "client/experiments/method_plan.h"
#include "client/experiments/report.h"
#include "client/experiments/statistics.h"
#include "client/experiments/table.h"

namespace aisivi::experiments {
namespace {

double LogZ(const FitResult& result) { return result.log_z; }
double LogZError(const FitResult& result) { return result.log_z_se; }
double Seconds(const FitResult& result) { return result.seconds; }

// What the paper calls log ML on WAVEFORM.
std::string Published(const std::string& method) {
  if (method == "aisivi") return "2230.4";
  if (method == "ksivi") return "2230.3";
  return "-";
}

std::string BesideExact(const ResultGroup& g, double exact) {
  const double ours = Median(ValuesOf(g, kSumLogQ));
  if (std::isnan(ours) || std::isnan(exact)) return "Not measured.";
  const std::string difference = cli::FormatFixed(std::abs(ours - exact), 1);
  return absl::StrCat(difference, ours < exact ? " below" : " above", " the exact posterior.");
}

ReportTable Table(const std::vector<ResultGroup>& groups, bool with_reference, double exact) {
  std::vector<std::string> header = {"fit", "published", "log Z", "±",
                                     "gap", "seeds",     "good",  "seconds"};
  if (with_reference) header.insert(header.end(), {"sum of log q over the reference", "remark"});
  ReportTable table(header);
  for (const ResultGroup& g : groups) {
    std::vector<std::string> cells = {WayTitle(g.key),
                                      Published(g.key.method),
                                      cli::FormatFixed(Median(ValuesOf(g, LogZ)), 3),
                                      cli::FormatNumber(Median(ValuesOf(g, LogZError)), 2),
                                      MedianAndRange(ValuesOf(g, Gap)),
                                      SeedsOf(g),
                                      absl::StrCat(CountGood(g)),
                                      cli::FormatNumber(Median(ValuesOf(g, Seconds)), 2)};
    if (with_reference) {
      cells.push_back(cli::FormatFixed(Median(ValuesOf(g, kSumLogQ)), 1));
      cells.push_back(BesideExact(g, exact));
    }
    table.AddRow(std::move(cells));
  }
  return table;
}

ReportTable NumberTable(const std::vector<ResultGroup>& groups) {
  ReportTable table({"method", "preset", "seeds", "succeeded", "good", "log_z_median",
                     "log_z_se_median", "gap_median", "sum_log_q_median", "seconds_median"});
  for (const ResultGroup& g : groups) {
    std::vector<std::string> cells = {g.key.method, g.key.preset, absl::StrCat(g.seeds),
                                      absl::StrCat(g.succeeded.size()), absl::StrCat(CountGood(g))};
    for (const double value :
         {Median(ValuesOf(g, LogZ)), Median(ValuesOf(g, LogZError)), Median(ValuesOf(g, Gap)),
          Median(ValuesOf(g, kSumLogQ)), Median(ValuesOf(g, Seconds))}) {
      cells.push_back(CsvNumber(value));
    }
    table.AddRow(std::move(cells));
  }
  return table;
}

void ExplainReference(const Settings& settings, double exact, Report* report) {
  report->Paragraph(absl::StrCat(
      "The sum of log q over the reference draws of `", settings.reference,
      "` sees the joint distribution; the exact posterior scores ", cli::FormatFixed(exact, 1),
      ", by the log Z with the smallest standard error. A fit may score a little more, where the "
      "reference draws are not quite the posterior's."));
}

}  // namespace

double ExactSum(const ReferenceSum& sum, const std::vector<FitResult>& results) {
  double best_error = std::numeric_limits<double>::infinity(), log_z = kNotMeasured;
  for (const FitResult& result : results) {
    if (std::isfinite(result.log_z) && result.log_z_se < best_error) {
      best_error = result.log_z_se;
      log_z = result.log_z;
    }
  }
  return sum.log_p - static_cast<double>(sum.draws) * log_z;
}

absl::Status WriteLogisticReport(const Settings& settings, const std::vector<FitResult>& results,
                                 const std::optional<ReferenceSum>& sum) {
  Report report("Logistic regression", "logistic", settings);
  const std::vector<ResultGroup> groups = GroupResults(results);
  report.Paragraph(absl::StrCat(
      "Bayesian logistic regression on `", settings.data,
      "`, prior precision 0.01, by all methods. Gap: log Z − ELBO, with the safe bound of the ELBO "
      "and the fit's own log Z; `reference` draws by Monte Carlo and has no ELBO. Good: fits whose "
      "verdict is good. Medians over the seeds."));
  report.Paragraph(
      "Published is what the paper calls log ML on WAVEFORM: neither the log evidence nor a sum of "
      "log densities over reference draws comes near it, and the paper's code does not compute it. "
      "It cannot be compared with any figure here.");
  const double exact = sum.has_value() ? ExactSum(*sum, results) : kNotMeasured;
  if (sum.has_value()) {
    ExplainReference(settings, exact, &report);
  } else {
    report.Paragraph(
        "No reference draws were given (`--reference FILE`), so that the sum of log q over them "
        "and the correlations beside theirs are left out.");
  }
  report.Table(Table(groups, sum.has_value(), exact));
  if (const std::string same = SameResults(groups); !same.empty()) report.Paragraph(same);
  report.Picture("logistic_marginals", "Marginal densities, seed 1");
  report.Picture("logistic_pairs", "Pairs of the most correlated coefficients, seed 1");
  if (sum.has_value()) {
    report.Picture("logistic_correlations",
                   "Posterior correlations of all pairs of coefficients beside those of the "
                   "reference draws, seed 1");
  }
  absl::Status status = WriteWholeFile(settings.out / "logistic.csv", NumberTable(groups).ToCsv());
  return status.ok() ? report.Write() : status;
}

}  // namespace aisivi::experiments
