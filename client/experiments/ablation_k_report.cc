#include "client/experiments/ablation_k_report.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "client/cli/terminal.h"
#include "client/experiments/report.h"
#include "client/experiments/table.h"

namespace aisivi::experiments {
namespace {

constexpr double kMegabyte = 1 << 20;
constexpr double kSame = 1.1;  // less than this is the allocator's own affair

std::string Number(double value, int digits = 3) { return cli::FormatNumber(value, digits); }

std::string Bias(const ScoreErrors& errors) {
  return errors.BiasShows() ? Number(errors.bias_square)
                            : absl::StrCat("below ", Number(2 * errors.floor, 2));
}

std::string Megabytes(double bytes) {
  return std::isfinite(bytes) ? cli::FormatFixed(bytes / kMegabyte, 1) : "-";
}

ReportTable Table(const std::vector<ScoreRow>& rows) {
  ReportTable table({"inner samples from", "k", "variance", "bias²", "effective samples",
                     "seconds a request", "memory, MB"});
  for (const ScoreRow& row : rows) {
    table.AddRow({row.source == "prior" ? "the prior (BSIVI)" : "the proposal (AISIVI)",
                  absl::StrCat(row.k), Number(row.errors.variance), Bias(row.errors),
                  Number(row.ess), Number(row.seconds, 2), Megabytes(row.memory)});
  }
  return table;
}

std::string Interval95(const Interval& interval) {
  return absl::StrCat("95 % interval ", cli::FormatFixed(interval.low, 2), " to ",
                      cli::FormatFixed(interval.high, 2));
}

std::string MemorySentence(const std::vector<ScoreRow>& rows) {
  std::vector<double> memory;
  for (const ScoreRow& row : rows) memory.push_back(row.memory);
  if (Finite(memory).empty()) {
    return "Memory was not measured: the server was not started by this command (leave out "
           "`--server` for that).";
  }
  const auto at = [&rows](int64_t k) {
    std::vector<double> bytes;
    for (const ScoreRow& row : rows) {
      if (row.k == k) bytes.push_back(row.memory);
    }
    return Largest(Finite(bytes)) / kMegabyte;
  };
  const auto [least, most] = std::minmax_element(
      rows.begin(), rows.end(), [](const auto& a, const auto& b) { return a.k < b.k; });
  const double first = at(least->k), last = at(most->k);
  return absl::StrCat("Memory: the server's resident set was at most ", cli::FormatFixed(first, 1),
                      " MB during the requests with k = ", least->k, " and at most ",
                      cli::FormatFixed(last, 1), " MB during those with k = ", most->k,
                      last <= kSame * first ? ": it does not grow with k."
                                            : ": it grew with k, or with the requests before.");
}

void Explain(const AblationK& ablation, Report* report) {
  report->Paragraph(
      absl::StrCat("Bayesian logistic regression on `", ablation.data, "` (", ablation.dimension,
                   " coefficients, prior precision 0.01), one fit by aisivi with seed 1. At ",
                   ablation.plan.points, " draws of its q the score ∇ log q is estimated ",
                   ablation.plan.repeats,
                   " times with each k, inner samples once from the fitted proposal, as "
                   "AISIVI has them, and once from the latent's prior, as BSIVI has them. The "
                   "truth beside it is "
                   "the mean of ",
                   ablation.plan.truth_repeats, " estimates with k = ", ablation.plan.truth,
                   " from the proposal."));
  report->Paragraph(
      "Variance and squared bias are in units of the mean square of the score, each coordinate "
      "counted in standard deviations of q: 1 is an estimate as wrong as zero would be. A bias is "
      "given where it is beyond the noise of its own estimate, otherwise what it is below. "
      "Effective samples: (Σ w)² / Σ w² of the inner weights, of k. Seconds: of one request for "
      "all points. Memory: the largest resident set of the server meanwhile; the long estimates "
      "came "
      "last.");
}

}  // namespace

Line VariancePower(const std::vector<ScoreRow>& rows) {
  std::vector<double> log_k, log_variance;
  for (const ScoreRow& row : rows) {
    if (!(row.errors.variance > 0)) continue;
    log_k.push_back(std::log(static_cast<double>(row.k)));
    log_variance.push_back(std::log(row.errors.variance));
  }
  return FitLine(log_k, log_variance);
}

std::string AblationSentence(const std::vector<ScoreRow>& rows) {
  if (rows.empty()) return "";
  const std::string who =
      rows[0].source == "prior" ? "From the prior (BSIVI)" : "From the proposal (AISIVI)";
  const Line line = VariancePower(rows);
  if (std::isnan(line.slope)) {
    return absl::StrCat(who,
                        " the estimate has no variance: q is a mixture of Gaussians here, "
                        "whose score needs no inner samples.");
  }
  std::string text =
      absl::StrCat(who, " the variance changes as k to the power ", cli::FormatFixed(line.slope, 2),
                   " (", Interval95(line.interval), ")");
  const bool falls = line.interval.low <= -1 && -1 <= line.interval.high;
  absl::StrAppend(&text, falls ? ", which agrees with 1/k, as independent samples have it. "
                               : ", which is not the 1/k of independent samples. ");
  const ScoreRow& last = rows.back();
  absl::StrAppend(&text, "With k = ", last.k, " the inner weights are worth ", Number(last.ess),
                  " samples, the variance is ", Number(last.errors.variance),
                  " and the squared bias ", Bias(last.errors), ". ");
  if (last.ess < 10) {
    absl::StrAppend(&text,
                    "So few effective samples make the estimate one of the score of the nearest "
                    "q(z|ε) rather than of q: neither number can be trusted to fall as 1/k.");
  }
  return text;
}

absl::Status WriteAblationKReport(const Settings& settings, const AblationK& ablation) {
  Report report("The score against the number of inner samples", "ablation-k", settings);
  Explain(ablation, &report);
  if (ablation.rows.empty()) {
    report.Paragraph(
        absl::StrCat("The fit ended as ", ablation.fit.state, ": there is nothing to measure."));
    return report.Write();
  }
  report.Table(Table(ablation.rows));
  for (const char* source : {"proposal", "prior"}) {
    report.Paragraph(AblationSentence(RowsFrom(ablation.rows, source)));
  }
  report.Paragraph(MemorySentence(ablation.rows));
  report.Picture("ablation_k", "Variance, bias, effective samples, time and memory against k");
  absl::Status status = WriteScoreRows(settings.out / "ablation_k.csv", ablation.rows);
  return status.ok() ? report.Write() : status;
}

}  // namespace aisivi::experiments
