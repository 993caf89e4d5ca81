#include "engine/fit/training_loop.h"

#include <algorithm>

#include "absl/status/statusor.h"
#include "absl/strings/str_format.h"
#include "engine/fit/held_out_check.h"
#include "engine/fit/safe_point.h"
#include "engine/fit/termination.h"

namespace aisivi {
namespace {

constexpr int64_t kNonFiniteSteps = 20;       // in a row that are no accident
constexpr int64_t kMostNonFiniteSteps = 200;  // in a row before a fit gives up

// Adds the report to the span, which begins anew where another training or phase came in between.
void ReportStep(Reporter& reporter, ReportSpan* reports) {
  if (reports->last != reporter.next_number()) reports->first = reporter.next_number();
  reporter.Report();
  reports->last = reporter.next_number();
}

void RecordStep(const StepReport& report, int64_t iteration, RunContext& run,
                TrainingRun& training) {
  TrainingProgress& progress = training.progress;
  AddStep(report.elbo, &progress.elbo);
  progress.criterion_sum += report.criterion;
  ++progress.criterion_steps;
  progress.non_finite_steps = 0;
  FitProgress& now = run.reporter.current();
  now.iteration = iteration;
  now.total_iterations = std::max(iteration, now.total_iterations);
  now.loss = report.loss;
  now.flow_loss = run.options.flow_steps > 0 ? report.flow_loss : kNotAvailable;
  now.proposal_ess = report.ess;
  now.score_residual = report.score_residual;
  now.elbo = Value(progress.elbo);
  now.skipped_steps = training.trainer.state().skipped_steps;
  ReportStep(run.reporter, &progress.reports);
}

void RecordNonFiniteStep(RunContext& run, TrainingRun& training) {
  const int64_t steps = training.progress.steps;
  const int64_t in_a_row = ++training.progress.non_finite_steps;
  if (in_a_row >= kMostNonFiniteSteps) {
    run.reason = TerminationReason::kNumericalError;
    run.log.push_back(absl::StrFormat("Stopped at iteration %d: %d steps in a row were not finite.",
                                      steps, in_a_row));
  } else if (in_a_row % kNonFiniteSteps == 0) {
    BackOff(&training);
    run.log.push_back(absl::StrFormat(
        "%d steps in a row were not finite by iteration %d: back to the best state, with half the "
        "learning rates.",
        kNonFiniteSteps, steps));
  }
}

// With a time limit the descent has to begin in time, whatever the number of iterations left.
void DescendInTime(RunContext& run, TrainingRun& training) {
  if (training.schedule.descending() || !run.deadline.Passed(kDescentShare)) return;
  const int64_t steps = training.progress.steps;
  const double each = (run.deadline.Seconds() - run.training_began) /
                      static_cast<double>(std::max<int64_t>(1, steps));
  const double left = kTrainingShare * run.deadline.limit() - run.deadline.Seconds();
  training.schedule.DescendWithin(
      steps, std::max<int64_t>(1, static_cast<int64_t>(std::min(left / each, 1e9))));
  run.shortened = true;
}

}  // namespace

void PretrainProposal(RunContext& run, TrainingRun& training) {
  const int64_t iterations = run.options.flow_pretrain_iterations;
  if (iterations == 0) return;
  if (run.flow_iteration == 0) run.reporter.Phase(FitPhase::kFlowPretraining, iterations);
  for (int64_t& i = run.flow_iteration; i < iterations && !MustStop(run); ++i) {
    SafePoint(run, &training);
    training.trainer.FlowStep(1.0);
    FitProgress& now = run.reporter.current();
    now.iteration = i + 1;
    now.flow_loss = training.trainer.state().flow.loss;
    now.skipped_steps = training.trainer.state().skipped_steps;
    run.reporter.Report();
  }
  if (training.progress.steps == 0) training.return_point.model = training.model;
}

absl::Status Train(RunContext& run, TrainingRun& training, int64_t last, int64_t shown) {
  StepReport report;
  TrainingProgress& progress = training.progress;
  while (progress.steps < std::min(last, training.schedule.total()) && !MustStop(run)) {
    SafePoint(run, &training);
    const absl::StatusOr<bool> fine = training.trainer.Step(
        RateFactor(progress.rates, training.schedule, progress.steps), &report);
    if (!fine.ok()) return fine.status();
    if (!*fine && MustStop(run)) break;
    ++progress.steps;
    if (*fine) {
      RecordStep(report, shown + progress.steps, run, training);
    } else {
      RecordNonFiniteStep(run, training);
      if (run.reason != TerminationReason::kNone) break;
    }
    DescendInTime(run, training);
    if (!training.schedule.CheckDue(progress.steps)) continue;
    if (absl::Status s = CheckOnTheWay(run, training); !s.ok()) return s;
  }
  return absl::OkStatus();
}

}  // namespace aisivi
