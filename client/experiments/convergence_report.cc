#include "client/experiments/convergence_report.h"

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

using P = v1::FitProgress;

std::string Settled(const FitKey& key) {
  return key.preset.empty() ? absl::StrCat(key.method, ", defaults") : key.preset;
}

// The history is thinned: its last report may be some iterations old.
int64_t IterationsRun(const TrainedFit& fit) {
  const LastIteration last = FindLastIteration(fit.history);
  return fit.result.reason == "ITERATION_LIMIT" ? last.total : last.iteration;
}

std::vector<double> EndNumbers(const TrainedFit& fit) {
  const v1::TrainingHistory& history = fit.history;
  return {AtEnd(history, &P::has_loss, &P::loss),
          AtEnd(history, &P::has_flow_loss, &P::flow_loss),
          AtEnd(history, &P::has_proposal_ess, &P::proposal_ess),
          AtEnd(history, &P::has_score_residual, &P::score_residual),
          AtEnd(history, &P::has_elbo, &P::elbo),
          fit.result.elbo_lower,
          Gap(fit.result),
          fit.result.seconds};
}

template <typename Format>
ReportTable TableOf(const std::vector<std::string>& header, const std::vector<TrainedFit>& fits,
                    Format format) {
  ReportTable table(header);
  for (const TrainedFit& fit : fits) {
    const FitKey& key = fit.result.key;
    const LastIteration last = FindLastIteration(fit.history);
    std::vector<std::string> cells = {key.target,
                                      Settled(key),
                                      absl::StrCat(key.seed),
                                      absl::StrCat(IterationsRun(fit)),
                                      absl::StrCat(last.total),
                                      fit.result.reason};
    for (const double number : EndNumbers(fit)) cells.push_back(format(number));
    table.AddRow(std::move(cells));
  }
  return table;
}

}  // namespace

LastIteration FindLastIteration(const v1::TrainingHistory& history) {
  LastIteration last;
  for (const P& report : history.reports()) {
    if (report.phase() == P::PHASE_TRAINING && report.iteration() >= last.iteration) {
      last.iteration = report.iteration();
    }
    // A fit that stops early corrects its total in the end.
    if (report.phase() == P::PHASE_TRAINING)
      last.total = std::max(last.total, report.total_iterations());
  }
  return last;
}

double AtEnd(const v1::TrainingHistory& history, bool (P::*has)() const, double (P::*get)() const) {
  const int64_t from = FindLastIteration(history).iteration * 9 / 10;
  std::vector<double> values;
  for (const P& report : history.reports()) {
    if (report.phase() == P::PHASE_TRAINING && report.iteration() >= from && (report.*has)()) {
      values.push_back((report.*get)());
    }
  }
  return Median(Finite(values));
}

std::string StopSentence(const TrainedFit& fit) {
  const FitKey& key = fit.result.key;
  const LastIteration last = FindLastIteration(fit.history);
  const std::string who = absl::StrCat(key.target, ", ", Settled(key), ", seed ", key.seed, ": ");
  if (fit.result.state != "SUCCEEDED") return absl::StrCat(who, "the fit failed.");
  if (last.total == 0) return absl::StrCat(who, "there was no training.");
  const std::string count = absl::StrCat(IterationsRun(fit), " of ", last.total, " iterations");
  if (fit.result.reason == "CONVERGED") {
    return absl::StrCat(who, "the stopping rule ended training after ", count, ".");
  }
  if (fit.result.reason == "ITERATION_LIMIT") {
    return absl::StrCat(who, "training went on to the end, ", count,
                        key.preset.empty() ? "; the stopping rule did not see it settle before."
                                           : "; a preset's schedule is fixed.");
  }
  return absl::StrCat(who, "training ended by ", fit.result.reason, " after ", count, ".");
}

absl::Status WriteConvergenceReport(const Settings& settings,
                                    const std::vector<std::string>& targets,
                                    const std::vector<TrainedFit>& fits) {
  Report report("Convergence", "convergence", settings);
  report.Paragraph(
      "What training reports, against iterations: the family's loss (an estimate of KL(q‖p) − log "
      "Z), the flow's loss E[−log τ(ε|z)], the effective share of the inner samples, the score "
      "residual E‖∇ log q − ∇ log p‖² and the running ELBO; numbers are medians over the last "
      "tenth of training. ELBO and gap at the end are those of the result. We know of no "
      "published figures to compare with. The running ELBO is smoothed over training steps, single "
      "ones of which can be far off: only the ELBO of the result is a bound.");
  report.Table(
      TableOf({"target", "fit", "seed", "iterations", "of", "ended by", "loss", "flow loss",
               "ESS share", "score residual", "running ELBO", "ELBO", "gap", "seconds"},
              fits, [](double number) { return cli::FormatNumber(number, 3); }));
  report.Heading("Where the stopping rule stopped");
  for (const TrainedFit& fit : fits) report.Paragraph(StopSentence(fit));
  for (const std::string& target : targets) {
    report.Picture("convergence_" + target,
                   absl::StrCat("Training on ", target, ", seed 1; dashed: where it ended"));
  }
  const ReportTable numbers = TableOf(
      {"target", "fit", "seed", "iterations", "total_iterations", "reason", "loss", "flow_loss",
       "proposal_ess", "score_residual", "running_elbo", "elbo_lower", "gap", "seconds"},
      fits, CsvNumber);
  absl::Status status = WriteWholeFile(settings.out / "convergence.csv", numbers.ToCsv());
  return status.ok() ? report.Write() : status;
}

}  // namespace aisivi::experiments
