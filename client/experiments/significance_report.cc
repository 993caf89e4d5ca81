#include "client/experiments/significance_report.h"

#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "client/cli/terminal.h"
#include "client/experiments/csv.h"
#include "client/experiments/report.h"
#include "client/experiments/table.h"

namespace aisivi::experiments {
namespace {

constexpr double kLevel = 0.05;

std::string Number(double value) { return cli::FormatNumber(value, 3); }

std::string PValue(double p) {
  return p < 1e-4 ? "below 0.0001" : absl::StrCat("= ", cli::FormatNumber(p, 2));
}

std::string Range(const Interval& interval) {
  if (!std::isfinite(interval.low)) return "unbounded: too few seeds";
  return absl::StrCat(Number(interval.low), " to ", Number(interval.high));
}

std::string Tests(const PairedQuantity& q) {
  return absl::StrCat("paired t: p ", PValue(q.t.p), "; signed rank: p ", PValue(q.rank.p));
}

// With n seeds no sample has a smaller signed-rank p than this.
double SmallestRankP(size_t seeds) { return std::ldexp(2, -static_cast<int>(seeds)); }

PairedQuantity Pair(const std::string& name, const std::vector<FitResult>& results,
                    double (*value)(const FitResult&)) {
  PairedQuantity q;
  q.name = name;
  std::vector<double> differences;
  for (size_t i = 0; i + 1 < results.size(); i += 2) {
    const double first = value(results[i]), second = value(results[i + 1]);
    if (!std::isfinite(first) || !std::isfinite(second)) {
      ++q.left_out;
      continue;
    }
    q.seeds.push_back(results[i].key.seed);
    q.first.push_back(first);
    q.second.push_back(second);
    differences.push_back(first - second);
  }
  q.t = PairedTTest(differences);
  q.rank = SignedRankTest(differences);
  return q;
}

ReportTable TestTable(const std::vector<PairedQuantity>& quantities,
                      const std::vector<std::string>& methods) {
  ReportTable table({"quantity", absl::StrCat(methods[0], ", mean"),
                     absl::StrCat(methods[1], ", mean"), "mean difference", "95 % interval (t)",
                     "t", "p (t)", "W", "p (signed rank)", "median difference",
                     "95 % interval (signed rank)", "seeds"});
  for (const PairedQuantity& q : quantities) {
    table.AddRow({q.name, Number(Mean(q.first)), Number(Mean(q.second)), Number(q.t.mean),
                  Range(q.t.interval), Number(q.t.t), cli::FormatNumber(q.t.p, 2), Number(q.rank.w),
                  cli::FormatNumber(q.rank.p, 2), Number(q.rank.median), Range(q.rank.interval),
                  absl::StrCat(q.seeds.size())});
  }
  return table;
}

ReportTable NumberTable(const std::vector<PairedQuantity>& quantities) {
  ReportTable table({"quantity", "seeds", "left_out", "mean_difference", "t", "t_df", "t_p",
                     "t_low", "t_high", "w", "rank_p", "median_difference", "rank_low",
                     "rank_high"});
  for (const PairedQuantity& q : quantities) {
    std::vector<std::string> cells = {q.name, absl::StrCat(q.seeds.size()),
                                      absl::StrCat(q.left_out)};
    for (const double value :
         {q.t.mean, q.t.t, q.t.degrees_of_freedom, q.t.p, q.t.interval.low, q.t.interval.high,
          q.rank.w, q.rank.p, q.rank.median, q.rank.interval.low, q.rank.interval.high}) {
      cells.push_back(CsvNumber(value));
    }
    table.AddRow(std::move(cells));
  }
  return table;
}

ReportTable SeedTable(const std::vector<PairedQuantity>& quantities,
                      const std::vector<std::string>& methods) {
  ReportTable table({"quantity", "seed", methods[0], methods[1], "difference"});
  for (const PairedQuantity& q : quantities) {
    for (size_t i = 0; i < q.seeds.size(); ++i) {
      table.AddRow({q.name, absl::StrCat(q.seeds[i]), CsvNumber(q.first[i]), CsvNumber(q.second[i]),
                    CsvNumber(q.first[i] - q.second[i])});
    }
  }
  return table;
}

}  // namespace

std::vector<PairedQuantity> PairResults(const std::vector<FitResult>& results) {
  return {Pair("log evidence", results, [](const FitResult& result) { return result.log_z; }),
          Pair("gap", results, Gap)};
}

std::string VerdictInWords(const PairedQuantity& q, const std::string& first,
                           const std::string& second) {
  if (q.seeds.size() < 2) {
    return absl::StrCat("The ", q.name, " cannot be compared: fewer than two seeds have it.");
  }
  const bool t = q.t.p < kLevel, rank = q.rank.p < kLevel;
  const std::string interval = absl::StrCat("95 % interval ", Range(q.t.interval), "; ", Tests(q));
  if (t && rank) {
    return absl::StrCat("The ", q.name, " of ", first, " is ", q.t.mean < 0 ? "smaller" : "larger",
                        " than that of ", second, ", by ", Number(std::abs(q.t.mean)),
                        " nats on average (", interval,
                        "). Both tests see a difference at the 5 % level.");
  }
  if (!t && !rank) {
    return absl::StrCat("No difference of the ", q.name, " between ", first, " and ", second,
                        " was found at the 5 % level: ", Number(q.t.mean), " nats on average (",
                        interval, "). It can still be anything inside the interval.");
  }
  std::string text = absl::StrCat("Undecided: of the ", q.name, " of ", first, " and ", second,
                                  " only the ", t ? "paired t test" : "signed-rank test",
                                  " sees a difference at the 5 % level, ", Number(q.t.mean),
                                  " nats on average (", interval, ").");
  if (t && SmallestRankP(q.seeds.size()) >= kLevel) {
    absl::StrAppend(&text, " With ", q.seeds.size(),
                    " seeds the signed-rank test never can; 6 are the fewest.");
  }
  return text;
}

absl::Status WriteSignificanceReport(const Settings& settings,
                                     const std::vector<std::string>& methods,
                                     const std::vector<FitResult>& results,
                                     const std::vector<PairedQuantity>& quantities) {
  const std::string target = results.empty() ? "" : results[0].key.target;
  Report report(absl::StrCat(methods[0], " and ", methods[1], " on ", target), "significance",
                settings);
  std::vector<double> seconds;
  for (const FitResult& result : results) seconds.push_back(result.seconds);
  report.Paragraph(absl::StrCat(
      "Both methods with the defaults, fitted with the same seeds and compared seed by seed. The "
      "gap is log Z − ELBO, with the safe bound of the ELBO and the known log Z where there is "
      "one: what KL(q‖p) the fit still has, the smaller the better. Of the log evidence, which "
      "importance sampling corrects, no difference is expected. We know of no "
      "published test to stand beside ours. Differences are ",
      methods[0], " − ", methods[1], ", in nats. A fit took ",
      cli::FormatNumber(Median(Finite(seconds)), 2), " seconds (median)."));
  report.Heading("Verdict");
  for (const PairedQuantity& q : quantities) {
    std::string verdict = VerdictInWords(q, methods[0], methods[1]);
    if (q.left_out > 0) {
      absl::StrAppend(&verdict, " Seeds left out, because a fit had no such number: ", q.left_out,
                      ".");
    }
    report.Paragraph(verdict);
  }
  report.Heading("Tests");
  report.Table(TestTable(quantities, methods));
  report.Picture("significance", "Both quantities seed by seed, and the mean of their differences");
  absl::Status status =
      WriteWholeFile(settings.out / "significance.csv", NumberTable(quantities).ToCsv());
  if (status.ok()) {
    status = WriteWholeFile(settings.out / "pairs.csv", SeedTable(quantities, methods).ToCsv());
  }
  return status.ok() ? report.Write() : status;
}

}  // namespace aisivi::experiments
