// aisivi summary, evidence, logq.
#include <algorithm>
#include <limits>
#include <memory>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "client/cli/command.h"
#include "client/cli/data_csv.h"
#include "client/cli/output.h"
#include "client/cli/parameter.h"
#include "client/cli/terminal.h"
#include "client/cli/verdict_view.h"

namespace aisivi::cli {
namespace {

// 2.5 rather than 2.50.
std::string Percent(double probability) {
  std::string text = FormatFixed(100 * probability, 3);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text + " %";
}

// Decimals for all coordinates where their scales are alike, so that the columns align; 0 where
// they are not.
int SharedDecimals(const v1::PosteriorSummary& summary) {
  double smallest = std::numeric_limits<double>::infinity(), largest = 0;
  for (const v1::CoordinateSummary& coordinate : summary.coordinates()) {
    smallest = std::min(smallest, coordinate.sd());
    largest = std::max(largest, coordinate.sd());
  }
  return smallest > 0 && largest < 100 * smallest ? DecimalsFor(smallest) + 1 : 0;
}

// N×D, row after row.
v1::Matrix ToMessage(const Eigen::MatrixXd& matrix) { return PointsToProto(matrix.transpose()); }

absl::Status Summary(const std::string& name, const SummaryOptions& options, bool covariance,
                     const Globals& globals) {
  const Client client(globals.server);
  const absl::StatusOr<v1::PosteriorSummary> summary = client.Summary(FitName(name), options);
  if (!summary.ok()) return summary.status();
  if (globals.json) {
    const absl::Status printed = PrintJson(*summary);
    if (!printed.ok() || !covariance) return printed;
    const absl::StatusOr<Eigen::MatrixXd> matrix =
        client.Covariance(FitName(name), options.count, options.seed, options.unconstrained);
    return matrix.ok() ? PrintJson(ToMessage(*matrix)) : matrix.status();
  }
  std::vector<std::string> header = {"<NAME", "MEAN", "SD"};
  for (const double probability : summary->probabilities()) {
    header.push_back(Percent(probability));
  }
  Table table(header);
  const int shared = SharedDecimals(*summary);
  for (const v1::CoordinateSummary& coordinate : summary->coordinates()) {
    const int decimals = shared > 0 ? shared : DecimalsFor(coordinate.sd()) + 1;
    std::vector<std::string> row = {Printable(coordinate.name()),
                                    FormatFixed(coordinate.mean(), decimals),
                                    FormatFixed(coordinate.sd(), decimals)};
    for (const double quantile : coordinate.quantiles()) {
      row.push_back(FormatFixed(quantile, decimals));
    }
    table.AddRow(std::move(row));
  }
  return Print(absl::StrCat(table.ToString(),
                            Styled(Style::kDim, absl::StrCat("from ", summary->count(), " draws")),
                            "\n"));
}

absl::Status Evidence(const std::string& name, const EvidenceOptions& options,
                      const Globals& globals) {
  const bool bar = IsTerminal() && !globals.json;
  absl::StatusOr<v1::LogEvidence> evidence =
      Client(globals.server).Evidence(FitName(name), options, [bar](int64_t done, int64_t draws) {
        if (bar) Print(absl::StrCat("\r\033[K", done, " of ", draws, " draws")).IgnoreError();
      });
  if (bar) Print("\r\033[K").IgnoreError();
  if (!evidence.ok()) return evidence.status();
  if (globals.json) return PrintJson(*evidence);
  MakePrintable(&*evidence);
  return Print(absl::StrCat(Styled(Style::kBold, FitName(name)), "\n", DescribeEvidence(*evidence),
                            DescribeVerdict(evidence->verdict())));
}

struct LogqFlags {
  std::string name;
  std::vector<std::string> points;
  std::string file;
  int64_t inner_samples = 0;
  uint64_t seed = 0;
};

// All points of the command line as N×D.
absl::StatusOr<v1::Matrix> GatherPoints(const LogqFlags& flags) {
  if (!flags.file.empty()) {
    if (!flags.points.empty()) {
      return absl::InvalidArgumentError("--points: give either --point or --points");
    }
    return ReadPointsFile(flags.file);
  }
  if (flags.points.empty()) {
    return absl::InvalidArgumentError("--point: give at least one point, or --points FILE");
  }
  return ParseMatrix("--point", absl::StrJoin(flags.points, ";"));
}

absl::Status PrintLogDensity(const Eigen::MatrixXd& points, const LogDensity& density,
                             const Globals& globals) {
  if (globals.json) {
    v1::LogDensityChunk response;
    for (Eigen::Index n = 0; n < density.log_q.size(); ++n) {
      response.add_log_q(density.log_q[n]);
      response.add_lower(density.lower[n]);
      response.add_upper(density.upper[n]);
    }
    return PrintJson(response);
  }
  constexpr Eigen::Index kShown = 4;
  Table table({"<POINT", "LOG Q", "LOWER", "UPPER"});
  for (Eigen::Index n = 0; n < density.log_q.size(); ++n) {
    std::vector<std::string> cells;
    for (Eigen::Index d = 0; d < std::min(kShown, points.rows()); ++d) {
      cells.push_back(FormatNumber(points(d, n)));
    }
    table.AddRow({absl::StrCat(absl::StrJoin(cells, ", "), points.rows() > kShown ? ", …" : ""),
                  FormatFixed(density.log_q[n], 4), FormatFixed(density.lower[n], 4),
                  FormatFixed(density.upper[n], 4)});
  }
  return Print(table.ToString());
}

absl::Status Logq(const LogqFlags& flags, const Globals& globals) {
  const absl::StatusOr<v1::Matrix> matrix = GatherPoints(flags);
  if (!matrix.ok()) return matrix.status();
  const Eigen::MatrixXd points = PointsFromProto(*matrix);
  const absl::StatusOr<LogDensity> density =
      Client(globals.server)
          .EvaluateLogDensity(FitName(flags.name), points, flags.inner_samples, flags.seed);
  if (!density.ok()) return density.status();
  return PrintLogDensity(points, *density, globals);
}

}  // namespace

void AddSummaryCommand(CLI::App& app, const Globals& globals, Action* action) {
  struct Flags {
    std::string name;
    SummaryOptions options;
    bool covariance = false;
  };
  const auto flags = std::make_shared<Flags>();
  flags->options.probabilities = {0.025, 0.5, 0.975};
  CLI::App* command =
      app.add_subcommand("summary", "Mean, standard deviation and quantiles of a fitted posterior");
  AddName(command, &flags->name);
  command->add_option("--count", flags->options.count, "Draws to use (default 20000)")
      ->type_name("N")
      ->check(AtLeast(2));
  command->add_option("--seed", flags->options.seed, "Names the draws (default 0)")->type_name("N");
  command
      ->add_option("--quantiles", flags->options.probabilities,
                   "Their probabilities (default 0.025,0.5,0.975)")
      ->type_name("P,P,...")
      ->delimiter(',')
      ->allow_extra_args(false);
  AddUnconstrained(command, &flags->options.unconstrained);
  command->add_flag("--covariance", flags->covariance,
                    "With --json: the covariance too, on a line of its own");
  command->callback([=, &globals] {
    *action = [=, &globals] {
      return Summary(flags->name, flags->options, flags->covariance, globals);
    };
  });
}

void AddEvidenceCommand(CLI::App& app, const Globals& globals, Action* action) {
  struct Flags {
    std::string name;
    EvidenceOptions options;
  };
  const auto flags = std::make_shared<Flags>();
  CLI::App* command = app.add_subcommand(
      "evidence",
      "Log evidence with its error, bounds of the ELBO, and the verdict, estimated afresh");
  AddName(command, &flags->name);
  command->add_option("--draws", flags->options.draws, "M, draws (default: as in the fit)")
      ->type_name("M")
      ->check(AtLeast(1));
  command
      ->add_option("--inner_samples", flags->options.inner_samples,
                   "K, inner samples per draw (default: as in the fit)")
      ->type_name("K")
      ->check(AtLeast(1));
  command->add_option("--seed", flags->options.seed, "Names the draws (default 0)")->type_name("N");
  command->callback([=, &globals] {
    *action = [=, &globals] { return Evidence(flags->name, flags->options, globals); };
  });
}

void AddLogqCommand(CLI::App& app, const Globals& globals, Action* action) {
  const auto flags = std::make_shared<LogqFlags>();
  CLI::App* command =
      app.add_subcommand("logq", "Log density of a fitted posterior at given points");
  AddName(command, &flags->name);
  command->add_option("--point", flags->points, "A point; may be repeated")
      ->type_name("Z1,Z2,...")
      ->allow_extra_args(false);
  command->add_option("--points", flags->file, "CSV with one point per line")->type_name("FILE");
  command
      ->add_option("--inner_samples", flags->inner_samples,
                   "K (default: the fit's evidence_inner_samples)")
      ->type_name("K")
      ->check(AtLeast(1));
  command->add_option("--seed", flags->seed, "Names the inner samples (default 0)")->type_name("N");
  command->callback([=, &globals] { *action = [=, &globals] { return Logq(*flags, globals); }; });
}

}  // namespace aisivi::cli
