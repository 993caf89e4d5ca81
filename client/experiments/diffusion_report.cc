#include "client/experiments/diffusion_report.h"

#include <cmath>

#include "absl/strings/str_cat.h"
#include "client/cli/terminal.h"
#include "client/experiments/csv.h"
#include "client/experiments/method_plan.h"
#include "client/experiments/report.h"
#include "client/experiments/statistics.h"
#include "client/experiments/table.h"

namespace aisivi::experiments {
namespace {

constexpr double kAlike = 500;  // what other reference draws may change of log ML

std::string WholeNumber(const std::vector<double>& values) {
  return cli::FormatFixed(Median(values), 0);
}

double LogZ(const FitResult& result) { return result.log_z; }
double Seconds(const FitResult& result) { return result.seconds; }

ReportTable WithReference(const std::vector<ResultGroup>& groups, bool comparable) {
  ReportTable table({"fit", "log ML, published", "log ML, ours", "mean log q of the reference",
                     "gap", "log Z", "seeds", "good", "seconds", "beside the published figure"});
  for (const ResultGroup& g : groups) {
    const double published = PublishedLogMl(g.key.method);
    table.AddRow({WayTitle(g.key), cli::FormatFixed(published, 0), WholeNumber(ValuesOf(g, kLogMl)),
                  cli::FormatFixed(Median(ValuesOf(g, kMeanLogQ)), 2),
                  MedianAndRange(ValuesOf(g, Gap)), cli::FormatFixed(Median(ValuesOf(g, LogZ)), 4),
                  SeedsOf(g), absl::StrCat(CountGood(g)),
                  cli::FormatNumber(Median(ValuesOf(g, Seconds)), 2),
                  comparable ? CompareLogMl(Median(ValuesOf(g, kLogMl)), published)
                             : "Not to be compared: the fits were changed."});
  }
  return table;
}

ReportTable WithoutReference(const std::vector<ResultGroup>& groups) {
  ReportTable table({"fit", "log ML, published", "gap", "log Z", "seeds", "good", "seconds"});
  for (const ResultGroup& g : groups) {
    table.AddRow({WayTitle(g.key), cli::FormatFixed(PublishedLogMl(g.key.method), 0),
                  MedianAndRange(ValuesOf(g, Gap)), cli::FormatFixed(Median(ValuesOf(g, LogZ)), 4),
                  SeedsOf(g), absl::StrCat(CountGood(g)),
                  cli::FormatNumber(Median(ValuesOf(g, Seconds)), 2)});
  }
  return table;
}

ReportTable NumberTable(const std::vector<ResultGroup>& groups) {
  ReportTable table({"method", "preset", "seeds", "succeeded", "good", "log_ml_published",
                     "log_ml_median", "mean_log_q_median", "gap_median", "log_z_median",
                     "seconds_median"});
  for (const ResultGroup& g : groups) {
    std::vector<std::string> cells = {g.key.method, g.key.preset, absl::StrCat(g.seeds),
                                      absl::StrCat(g.succeeded.size()), absl::StrCat(CountGood(g))};
    for (const double value :
         {PublishedLogMl(g.key.method), Median(ValuesOf(g, kLogMl)), Median(ValuesOf(g, kMeanLogQ)),
          Median(ValuesOf(g, Gap)), Median(ValuesOf(g, LogZ)), Median(ValuesOf(g, Seconds))}) {
      cells.push_back(CsvNumber(value));
    }
    table.AddRow(std::move(cells));
  }
  return table;
}

}  // namespace

std::filesystem::path BandsFile(const Settings& settings, const FitKey& key) {
  return settings.out / absl::StrCat("bands_", FileStem(key), ".csv");
}

double PublishedLogMl(const std::string& method) {
  if (method == "ksivi") return 74521;
  if (method == "aisivi") return 74062;
  if (method == "iwhvi") return 67676;
  if (method == "bsivi") return 60556;
  if (method == "pvi") return 53121;
  if (method == "uivi") return 40207;
  return kNotMeasured;
}

std::string CompareLogMl(double ours, double published) {
  if (std::isnan(ours)) return "Not measured.";
  if (std::isnan(published)) return "None is published.";
  const std::string difference = cli::FormatFixed(std::abs(ours - published), 0);
  if (std::abs(ours - published) <= kAlike) {
    return absl::StrCat("As published, up to ", difference,
                        ": other reference draws may change as much.");
  }
  return absl::StrCat(ours > published ? "Better" : "Worse", " than published, by ", difference,
                      ".");
}

absl::Status WriteDiffusionReport(const Settings& settings, const std::vector<FitResult>& results) {
  Report report("Conditioned diffusion", "diffusion", settings);
  const std::vector<ResultGroup> groups = GroupResults(results);
  report.Paragraph(
      "The 100-dimensional conditioned diffusion of arXiv 2405.18997 and 2506.03839, with the "
      "published observations. Gap: log Z − ELBO, with the exact log Z and the safe bound of the "
      "ELBO; `reference` draws by Monte Carlo and has neither. Good: fits whose verdict is good. "
      "Medians over the seeds.");
  if (settings.reference.empty()) {
    report.Paragraph(
        "No reference draws were given (`--reference FILE`), so that the paper's log ML and the "
        "mean log q over them were not measured.");
    report.Table(WithoutReference(groups));
  } else {
    report.Paragraph(absl::StrCat(
        "log ML as in the paper's table 2: 60,000 draws of the fit, per coordinate a Gaussian "
        "kernel density of bandwidth 0.01, the sum of its logarithms over all reference draws and "
        "coordinates. It sees marginals only. The mean of log q over the reference draws sees the "
        "joint distribution. The reference draws are those of `",
        settings.reference,
        "`, not the paper's own: published and measured figures compare roughly. `reference` keeps "
        "as "
        "many draws as `evidence_draws`, which its 60,000 repeat: its log ML is too low for "
        "that."));
    report.Table(WithReference(groups, settings.set.empty()));
  }
  if (const std::string same = SameResults(groups); !same.empty()) report.Paragraph(same);
  report.Picture("diffusion", "Median and 95 % band of the paths, seed 1");
  absl::Status status = WriteWholeFile(settings.out / "diffusion.csv", NumberTable(groups).ToCsv());
  return status.ok() ? report.Write() : status;
}

}  // namespace aisivi::experiments
