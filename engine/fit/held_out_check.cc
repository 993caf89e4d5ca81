#include "engine/fit/held_out_check.h"

#include <optional>
#include <utility>

#include "absl/strings/str_format.h"
#include "engine/fit/held_out.h"

namespace aisivi {
namespace {

struct Check {
  ModelState averaged;
  CheckReport report;
};

// Nothing when the run is cut short.
absl::StatusOr<std::optional<Check>> Look(RunContext& run, TrainingRun& training, bool at_end) {
  ModelState averaged = training.trainer.AveragedModel();
  const absl::StatusOr<HeldOut> held_out =
      EvaluateHeldOut(averaged, run.target, run.options, run.pool, run.deadline.flag());
  if (absl::IsCancelled(held_out.status())) return std::nullopt;
  if (!held_out.ok()) return held_out.status();
  TrainingProgress& progress = training.progress;
  const double criterion =
      progress.criterion_steps > 0
          ? progress.criterion_sum / static_cast<double>(progress.criterion_steps)
          : kNotAvailable;
  progress.criterion_sum = 0;
  progress.criterion_steps = 0;
  const bool better = IsBetter(*held_out, at_end, run.best);
  run.log.push_back(absl::StrFormat(
      "Held-out ELBO %s %d iterations: %.4f%s; %s %.3g.", at_end ? "at the end, after" : "after",
      progress.steps, held_out->elbo, better ? "" : " (not kept)",
      run.method.estimate != nullptr ? "score residual" : "criterion", criterion));
  if (better || !run.best.model.has_value()) {
    run.best = {averaged, *held_out, progress.reports};
    if (held_out->at_ceiling) run.reason = TerminationReason::kConverged;
  }
  return Check{std::move(averaged), {held_out->elbo, held_out->gap, criterion}};
}

// False: the training went back to its return point.
bool AdjustRates(RunContext& run, const CheckReport& report, TrainingRun& training) {
  LearningRates& rates = training.progress.rates;
  switch (DecideRates(run.options, training.schedule, rates, report, training.return_point.elbo,
                      training.return_point.gap)) {
    case RateDecision::kHalve:
      BackOff(&training);
      run.log.push_back(absl::StrFormat(
          "The held-out ELBO fell to %.4f by iteration %d: back to the best state, with half the "
          "learning rates.",
          report.elbo, training.progress.steps));
      return false;
    case RateDecision::kRaise:
      Raise(&rates);
      run.log.push_back(absl::StrFormat("The held-out ELBO still rises: learning rates times %.3g.",
                                        rates.factor));
      return true;
    default:
      return true;
  }
}

void TellSchedule(RunContext& run, const CheckReport& report, TrainingRun& training) {
  Schedule& schedule = training.schedule;
  const bool before = schedule.descending();
  schedule.RecordCheck(training.progress.steps, report);
  if (!schedule.descending() || before) return;
  training.trainer.Restore(training.return_point.model, /*forget=*/false);
  run.reporter.current().total_iterations += schedule.total() - run.options.iterations;
  run.log.push_back(absl::StrFormat(
      "The learning rate descends from iteration %d to %d%s.", training.progress.steps,
      schedule.total(), schedule.settled() ? ": ELBO and score residual have settled" : ""));
}

}  // namespace

absl::Status CheckOnTheWay(RunContext& run, TrainingRun& training) {
  absl::StatusOr<std::optional<Check>> check = Look(run, training, /*at_end=*/false);
  if (!check.ok()) return check.status();
  if (!check->has_value()) return absl::OkStatus();
  const CheckReport report = (*check)->report;
  if (!AdjustRates(run, report, training)) return absl::OkStatus();
  ReturnPoint& point = training.return_point;
  if (!(report.elbo <= point.elbo))
    point = {std::move((*check)->averaged), report.elbo, report.gap, training.progress.reports};
  TellSchedule(run, report, training);
  return absl::OkStatus();
}

absl::Status CheckAtTheEnd(RunContext& run, TrainingRun& training) {
  return Look(run, training, /*at_end=*/true).status();
}

}  // namespace aisivi
