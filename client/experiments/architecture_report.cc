#include "client/experiments/architecture_report.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "client/cli/terminal.h"
#include "client/experiments/csv.h"
#include "client/experiments/report.h"
#include "client/experiments/statistics.h"
#include "client/experiments/table.h"

namespace aisivi::experiments {
namespace {

std::string Number(double value) { return cli::FormatNumber(value, 3); }

std::vector<double> Values(const Architecture& a, double (*value)(const FitResult&)) {
  std::vector<double> values;
  for (const FitResult& fit : a.fits) {
    if (fit.state == "SUCCEEDED") values.push_back(value(fit));
  }
  return Finite(values);
}

double Width(const FitResult& fit) { return fit.elbo_upper - fit.elbo_lower; }
double Ess(const FitResult& fit) { return MeasureOf(fit, kProposalEss); }
double Loss(const FitResult& fit) { return MeasureOf(fit, kFlowLoss); }
double Seconds(const FitResult& fit) { return fit.seconds; }

std::string SeedsOf(const Architecture& a) {
  const auto succeeded = std::count_if(
      a.fits.begin(), a.fits.end(), [](const FitResult& fit) { return fit.state == "SUCCEEDED"; });
  if (succeeded == static_cast<int64_t>(a.fits.size())) return absl::StrCat(succeeded);
  return absl::StrCat(succeeded, " of ", a.fits.size());
}

ReportTable Table(const std::vector<Architecture>& all) {
  ReportTable table({"target", "couplings", "gap", "width of the ELBO's bounds",
                     "effective inner samples, share", "loss of the flow", "seconds", "seeds"});
  for (const Architecture& a : all) {
    table.AddRow({a.target, absl::StrCat(a.couplings), MedianAndRange(Values(a, Gap)),
                  MedianAndRange(Values(a, Width)), MedianAndRange(Values(a, Ess)),
                  MedianAndRange(Values(a, Loss)), MedianAndRange(Values(a, Seconds)), SeedsOf(a)});
  }
  return table;
}

ReportTable Numbers(const std::vector<Architecture>& all) {
  ReportTable table({"target", "couplings", "seed", "state", "gap", "sandwich_width",
                     "proposal_ess", "flow_loss", "seconds"});
  for (const Architecture& a : all) {
    for (const FitResult& fit : a.fits) {
      std::vector<std::string> cells = {a.target, absl::StrCat(a.couplings),
                                        absl::StrCat(fit.key.seed), fit.state};
      for (const double value : {Gap(fit), Width(fit), Ess(fit), Loss(fit), fit.seconds}) {
        cells.push_back(CsvNumber(value));
      }
      table.AddRow(std::move(cells));
    }
  }
  return table;
}

}  // namespace

std::vector<Architecture> GroupArchitectures(const std::vector<FitResult>& results) {
  std::vector<Architecture> all;
  for (size_t i = 0; i < results.size(); ++i) {
    const int64_t couplings = kCouplings[i % std::size(kCouplings)];
    const auto found = std::find_if(all.begin(), all.end(), [&](const Architecture& a) {
      return a.target == results[i].key.target && a.couplings == couplings;
    });
    if (found == all.end()) {
      all.push_back({results[i].key.target, couplings, {results[i]}});
    } else {
      found->fits.push_back(results[i]);
    }
  }
  return all;
}

std::string CompareArchitectures(const Architecture& first, const Architecture& other) {
  std::vector<double> gaps, times;
  for (size_t i = 0; i < std::min(first.fits.size(), other.fits.size()); ++i) {
    const double gap = Gap(other.fits[i]) - Gap(first.fits[i]);
    const double ratio = other.fits[i].seconds / first.fits[i].seconds;
    if (!std::isfinite(gap) || !std::isfinite(ratio)) continue;
    gaps.push_back(gap);
    times.push_back(ratio);
  }
  const std::string who =
      absl::StrCat(first.target, ": ", other.couplings, " couplings beside ", first.couplings, " ");
  if (gaps.empty()) return absl::StrCat(who, "cannot be compared: no seed has a gap of both.");
  std::string text = absl::StrCat(who, "took ", Number(Median(times)), " times as long. ");
  const PairedT test = PairedTTest(gaps);
  if (!std::isfinite(test.interval.low)) {
    return absl::StrCat(text, "The gap changed by ", Number(test.mean),
                        " nats, of a single seed: whether that is chance cannot be told.");
  }
  absl::StrAppend(&text, "The gap changed by ", Number(test.mean), " nats (95 % interval ",
                  Number(test.interval.low), " to ", Number(test.interval.high), ", ", gaps.size(),
                  " seeds): ");
  if (test.interval.high < 0) return absl::StrCat(text, "more couplings fit better.");
  if (test.interval.low > 0) return absl::StrCat(text, "more couplings fit worse.");
  return absl::StrCat(text, "no difference that is beyond chance.");
}

absl::Status WriteArchitectureReport(const Settings& settings,
                                     const std::vector<Architecture>& architectures) {
  Report report("Coupling layers of the proposal", "architecture", settings);
  report.Paragraph(
      "Fits by aisivi that differ in the coupling layers of their proposal alone. Gap: log Z − "
      "ELBO, "
      "with the safe bound of the ELBO and the exact log Z where it is known; the share of "
      "effective "
      "inner samples and the flow's loss are medians over the last tenth of training. Medians over "
      "the seeds, smallest and largest in brackets.");
  report.Table(Table(architectures));
  for (const Architecture& other : architectures) {
    const auto first =
        std::find_if(architectures.begin(), architectures.end(),
                     [&](const Architecture& a) { return a.target == other.target; });
    if (&*first != &other) report.Paragraph(CompareArchitectures(*first, other));
  }
  report.Picture("architecture", "Quality and cost against the number of couplings, seed by seed");
  absl::Status status =
      WriteWholeFile(settings.out / "architecture.csv", Numbers(architectures).ToCsv());
  return status.ok() ? report.Write() : status;
}

}  // namespace aisivi::experiments
