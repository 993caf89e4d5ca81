#include "client/experiments/dimension_report.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "absl/strings/str_cat.h"
#include "client/cli/terminal.h"
#include "client/experiments/csv.h"
#include "client/experiments/dimension_target.h"
#include "client/experiments/report.h"
#include "client/experiments/table.h"

namespace aisivi::experiments {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kDefaultSigma = 0.5;  // σ₀, the default of the family

std::string Number(double value, int digits = 3) { return cli::FormatNumber(value, digits); }

std::string Needed(double needed, double most) {
  if (std::isnan(needed)) return "-";
  if (std::isinf(needed)) return absl::StrCat("more than ", most);
  // Up to the rounding of logarithms.
  return absl::StrCat(static_cast<int64_t>(std::ceil(needed * (1 - 1e-9))));
}

std::string Who(const std::string& source) {
  return source == "prior" ? "the prior (BSIVI)" : "the proposal (AISIVI)";
}

NeedSeries SeriesOf(const std::vector<DimensionRows>& rows, const std::string& target,
                    const std::string& source) {
  NeedSeries series{target, source, {}, {}, {}, {}};
  std::vector<double> dimension, log_needed;
  for (const DimensionRows& r : rows) {
    if (r.target != target) continue;
    const std::vector<ScoreRow> chosen = RowsFrom(r.rows, source);
    double most = 0;
    for (const ScoreRow& row : chosen) most = std::max(most, static_cast<double>(row.k));
    series.most.push_back(most);
    series.dimensions.push_back(r.dimension);
    series.needed.push_back(NeededK(chosen));
    if (!std::isfinite(series.needed.back())) continue;
    dimension.push_back(r.dimension);
    log_needed.push_back(std::log(series.needed.back()));
  }
  series.line = FitLine(dimension, log_needed);
  return series;
}

ReportTable NeedTable(const std::vector<DimensionRows>& rows,
                      const std::vector<NeedSeries>& needs) {
  ReportTable table({"target", "D", "k needed from the proposal", "k needed from the prior",
                     "effective share of the proposal's samples", "seconds of the fit"});
  for (const DimensionRows& r : rows) {
    std::vector<std::string> cells = {r.target, absl::StrCat(r.dimension)};
    for (const char* source : {"proposal", "prior"}) {
      for (const NeedSeries& series : needs) {
        if (series.target != r.target || series.source != source) continue;
        const auto at = std::find(series.dimensions.begin(), series.dimensions.end(), r.dimension) -
                        series.dimensions.begin();
        cells.push_back(Needed(series.needed[at], series.most[at]));
      }
    }
    const std::vector<ScoreRow> proposal = RowsFrom(r.rows, "proposal");
    cells.push_back(proposal.empty()
                        ? r.fit.state
                        : Number(proposal.back().ess / static_cast<double>(proposal.back().k)));
    cells.push_back(Number(r.fit.seconds, 2));
    table.AddRow(std::move(cells));
  }
  return table;
}

// Of every dimension and source, at the k that have a column.
ReportTable VarianceTable(const std::vector<DimensionRows>& rows) {
  constexpr int64_t kColumns[] = {1, 10, 100, 1000, 10000, 100000};
  std::vector<std::string> header = {"target", "D", "inner samples from"};
  for (const int64_t k : kColumns) header.push_back(absl::StrCat("k = ", k));
  ReportTable table(std::move(header));
  for (const DimensionRows& r : rows) {
    for (const char* source : {"proposal", "prior"}) {
      const std::vector<ScoreRow> chosen = RowsFrom(r.rows, source);
      if (chosen.empty()) continue;
      std::vector<std::string> cells = {r.target, absl::StrCat(r.dimension), Who(source)};
      for (const int64_t k : kColumns) {
        const auto row = std::find_if(chosen.begin(), chosen.end(),
                                      [k](const ScoreRow& row) { return row.k == k; });
        cells.push_back(row == chosen.end() ? "-" : Number(row->errors.variance));
      }
      table.AddRow(std::move(cells));
    }
  }
  return table;
}

ReportTable AllRows(const std::vector<DimensionRows>& rows) {
  ReportTable table({"target", "dimension", "source", "k", "variance", "bias_square", "mse", "ess",
                     "seconds", "memory_bytes"});
  for (const DimensionRows& r : rows) {
    for (const ScoreRow& row : r.rows) {
      std::vector<std::string> cells = {r.target, absl::StrCat(r.dimension), row.source,
                                        absl::StrCat(row.k)};
      for (const double value : {row.errors.variance, row.errors.bias_square, row.errors.Mse(),
                                 row.ess, row.seconds, row.memory}) {
        cells.push_back(CsvNumber(value));
      }
      table.AddRow(std::move(cells));
    }
  }
  return table;
}

ReportTable NeedNumbers(const std::vector<NeedSeries>& needs) {
  ReportTable table({"target", "source", "dimension", "needed_k", "largest_k"});
  for (const NeedSeries& series : needs) {
    for (size_t i = 0; i < series.needed.size(); ++i) {
      table.AddRow({series.target, series.source, absl::StrCat(series.dimensions[i]),
                    CsvNumber(series.needed[i]), CsvNumber(series.most[i])});
    }
  }
  return table;
}

void Explain(const ScorePlan& plan, Report* report) {
  report->Paragraph(absl::StrCat(
      "The score ∇ log q of fits by aisivi, estimated ", plan.repeats, " times at ", plan.points,
      " draws of q with each k, once from the fitted proposal (as AISIVI does) and once from the "
      "latent's prior (as BSIVI does), beside the mean of ",
      plan.truth_repeats, " estimates with k = ", plan.truth,
      " from the proposal. Needed is the k at which the mean square error falls to ", kEnough,
      " of the mean square of the score, between the tried values on a straight line of "
      "logarithms. "
      "The fits keep what they learned, however good their start was."));
  report->Paragraph(
      "gaussian: N(0, Σ) with Σ_ij = ½^|i − j|. Its start is exact, so that q is that Gaussian and "
      "the proposal its reverse conditional: no inner samples are needed from it. "
      "conditioned_diffusion: D Euler steps up to time 1, observed in the middle and at the end, "
      "so "
      "that the path is the same and only its steps become finer.");
  report->Paragraph(
      "Held beside it: the paper (arXiv 2506.03839) calls q's density non-trivial to estimate in "
      "high dimensions, and learns a proposal for that reason. In general importance sampling "
      "needs "
      "about exp(KL(q(ε|z) ‖ its proposal)) samples (Chatterjee & Diaconis, Annals of Applied "
      "Probability 2018), and the divergence from the prior grows with every dimension of ε.");
}

}  // namespace

double NeededK(const std::vector<ScoreRow>& rows) {
  if (rows.empty()) return kNotMeasured;
  double last_k = 0, last_error = 0;
  for (size_t i = 0; i < rows.size(); ++i) {
    const auto k = static_cast<double>(rows[i].k);
    // Corrected for its noise, an error of nothing may come out below it.
    const double error = std::max(rows[i].errors.Mse(), 1e-12);
    if (std::isnan(rows[i].errors.Mse())) return kNotMeasured;
    if (error <= kEnough) {
      if (i == 0) return k;
      const double share = std::log(last_error / kEnough) / std::log(last_error / error);
      return std::exp(std::log(last_k) + share * std::log(k / last_k));
    }
    last_k = k, last_error = error;
  }
  return kInfinity;
}

std::vector<NeedSeries> Needs(const std::vector<DimensionRows>& rows) {
  std::vector<NeedSeries> needs;
  for (const std::string& target : DimensionTargets()) {
    const bool there = std::any_of(rows.begin(), rows.end(),
                                   [&](const DimensionRows& r) { return r.target == target; });
    if (!there) continue;
    for (const char* source : {"proposal", "prior"}) {
      needs.push_back(SeriesOf(rows, target, source));
    }
  }
  return needs;
}

std::string NeedSentence(const NeedSeries& series) {
  const std::string who =
      absl::StrCat(series.target, ", inner samples from ", Who(series.source), ": ");
  std::vector<double> finite;
  int highest = 0, beyond = 0;
  double tried = kInfinity;  // in each dimension where no k was enough
  for (size_t i = 0; i < series.needed.size(); ++i) {
    if (std::isfinite(series.needed[i])) {
      finite.push_back(series.needed[i]);
      highest = std::max(highest, series.dimensions[i]);
    } else if (std::isinf(series.needed[i])) {
      ++beyond;
      tried = std::min(tried, series.most[i]);
    }
  }
  if (finite.empty() && beyond == 0) return who + "nothing was measured.";
  if (finite.empty()) return absl::StrCat(who, "in no dimension was k = ", tried, " enough.");
  if (Largest(finite) <= 1 && beyond == 0) {
    return absl::StrCat(who, "a single sample is enough in every dimension up to ", highest, ".");
  }
  std::string text = who;
  if (std::isfinite(series.line.interval.low)) {
    const Interval& interval = series.line.interval;
    absl::StrAppend(&text, "up to D = ", highest, " the k needed grows by a factor of ",
                    cli::FormatFixed(std::exp(series.line.slope), 3),
                    " per dimension (95 % interval ", cli::FormatFixed(std::exp(interval.low), 3),
                    " to ", cli::FormatFixed(std::exp(interval.high), 3), "). ");
    absl::StrAppend(&text, interval.low > 0
                               ? "It is exponential in D as far as these dimensions show."
                           : interval.high < 0 ? "It does not grow with D."
                                               : "No growth with D can be told from none.");
  } else {
    absl::StrAppend(&text, "too few dimensions were within reach to say how k grows.");
  }
  if (beyond > 0) {
    absl::StrAppend(&text, " In ", beyond, beyond == 1 ? " dimension" : " dimensions",
                    " k = ", tried, " was not enough.");
  }
  return text;
}

double PriorSlope(double sigma) {
  const double v = 1 - 0.5 * sigma * sigma;
  return -std::log(sigma * std::sqrt(2 * v)) + 1 - 1 / (2 * v);
}

absl::Status WriteDimensionReport(const Settings& settings, const ScorePlan& plan,
                                  const std::vector<DimensionRows>& rows,
                                  const std::vector<NeedSeries>& needs) {
  Report report("The score against the dimension", "dimension", settings);
  Explain(plan, &report);
  report.Table(NeedTable(rows, needs));
  report.Heading("Variance of the estimate against k");
  report.Paragraph("In units of the mean square of the score: 1 is as wrong as zero would be.");
  report.Table(VarianceTable(rows));
  report.Heading("Is k exponential in D?");
  for (const NeedSeries& series : needs) report.Paragraph(NeedSentence(series));
  report.Paragraph(absl::StrCat(
      "To compare with: where q is Gaussian and its conditionals have the default σ₀ = ",
      Number(kDefaultSigma), ", the variance of one weight from the prior grows by a factor of ",
      cli::FormatFixed(std::exp(PriorSlope(kDefaultSigma)), 3),
      " per dimension at a typical point."));
  report.Picture("dimension", "k needed against D, and the error against k in each dimension");
  absl::Status status = WriteWholeFile(settings.out / "dimension.csv", AllRows(rows).ToCsv());
  if (status.ok()) status = WriteWholeFile(settings.out / "needed.csv", NeedNumbers(needs).ToCsv());
  return status.ok() ? report.Write() : status;
}

}  // namespace aisivi::experiments
