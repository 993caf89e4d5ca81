#include "engine/fit/run.h"

#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "engine/fit/deadline.h"
#include "engine/fit/final_evidence.h"
#include "engine/fit/held_out.h"
#include "engine/fit/held_out_check.h"
#include "engine/fit/run_context.h"
#include "engine/fit/safe_point.h"
#include "engine/fit/sampling_run.h"
#include "engine/fit/start.h"
#include "engine/fit/start_choice.h"
#include "engine/fit/termination.h"
#include "engine/fit/training_loop.h"
#include "engine/fit/training_run.h"

namespace aisivi {
namespace {

absl::Status MakeStarts(RunContext& run) {
  SafePoint(run);
  run.reporter.Phase(FitPhase::kWarmStart, 0);
  run.deadline.Set(kStartShare);
  absl::StatusOr<Starts> starts =
      StartModels(run.target, run.options, run.pool, run.deadline.flag(), &run.log);
  if (absl::IsCancelled(starts.status()) && !run.deadline.Cancelled()) {
    run.log.push_back("The time limit left no room for a warm start.");
    FitOptions plain = run.options;
    plain.warm_start = "none";
    starts = StartModels(run.target, plain, run.pool, nullptr, &run.log);
  }
  if (!starts.ok()) return starts.status();
  run.search = starts->search;
  std::vector<Start>& all = starts->starts;
  if (run.method.one_component && all.front().state.components.size() > 1) {
    run.log.push_back(
        absl::StrFormat("The mixture is left out: %s trains one component only.", run.method.name));
    run.search.end = MultistartEnd::kNotFitted;
    all.erase(all.begin());
  }
  run.starts = std::move(all);
  run.stage = RunStage::kLook;
  return absl::OkStatus();
}

// The start as it is; it may need no training.
absl::Status EvaluateStart(RunContext& run, const Start& start) {
  const absl::StatusOr<HeldOut> held_out =
      EvaluateHeldOut(start.state, run.target, run.options, run.pool, run.deadline.flag());
  if (absl::IsCancelled(held_out.status())) return absl::OkStatus();
  if (absl::IsUnavailable(held_out.status())) run.best.model = start.state;
  if (!held_out.ok()) return held_out.status();
  run.log.push_back(absl::StrFormat("Held-out ELBO of the start: %.4f.", held_out->elbo));
  run.best = {start.state, *held_out, {}};
  if (held_out->at_ceiling) {
    run.log.push_back(
        "The weights of the start are equal over what it covers: there is nothing to train.");
    run.reason = TerminationReason::kConverged;
  }
  return absl::OkStatus();
}

void TellHowTrainingEnded(RunContext& run, const TrainerState& trainer) {
  if (trainer.skipped_steps > 0) {
    run.log.push_back(absl::StrFormat("%d steps were skipped: not finite.", trainer.skipped_steps));
  }
  const Adaptation& last = trainer.objective.adaptation;
  if (last.total_inner_samples != run.options.inner_samples * run.options.chunks ||
      last.flow_steps != run.options.flow_steps) {
    run.log.push_back(absl::StrFormat("Training ended with %d inner samples and %d flow steps.",
                                      last.total_inner_samples, last.flow_steps));
  }
}

// The last state is looked at even where the time for training has passed.
absl::Status EndTraining(RunContext& run, TrainingRun& training) {
  TellHowTrainingEnded(run, training.trainer.state());
  if (run.reason == TerminationReason::kCancelled || run.reason == TerminationReason::kConverged) {
    return absl::OkStatus();
  }
  const TerminationReason reason = std::exchange(run.reason, TerminationReason::kNone);
  run.deadline.Set(1);
  if (training.progress.steps > 0 || !run.best.model.has_value()) {
    if (absl::Status s = CheckAtTheEnd(run, training); !s.ok()) return s;
  }
  if (!run.best.model.has_value()) {
    run.best.model = training.trainer.AveragedModel();
    run.best.reports = training.progress.reports;
  }
  if (run.options.keep_last && training.progress.steps > 0 && ParametersAreFinite(training.model)) {
    run.best.model = training.model;
    run.best.reports = training.progress.reports;
    run.log.emplace_back("The last iterate is the result, as was asked for.");
  }
  if (reason != TerminationReason::kNone) {
    run.reason = reason;
  } else if (run.shortened) {
    run.reason = TerminationReason::kTimeLimit;
  } else if (training.schedule.settled()) {
    run.reason = TerminationReason::kConverged;
  }
  return absl::OkStatus();
}

void TrainProposalsForEvidence(RunContext& run, TrainingRun& training) {
  const int64_t iterations = run.options.evidence_flow_iterations;
  if (run.stage != RunStage::kProposals) {
    if (iterations == 0 || MustStop(run)) return;
    run.reporter.Phase(FitPhase::kFlowPretraining, iterations);
    run.stage = RunStage::kProposals;
    run.flow_iteration = 0;
  }
  training.trainer.TrainProposals(iterations, run.flow_iteration, [&](int64_t done) {
    run.flow_iteration = done;
    SafePoint(run, &training);
  });
  run.log.push_back(absl::StrFormat("The proposal took %d steps for the evidence: loss %.4f.",
                                    iterations, training.trainer.state().flow.loss));
}

absl::Status TrainFrom(RunContext& run, TrainingRun& training) {
  if (run.stage == RunStage::kPretraining) {
    PretrainProposal(run, training);
    if (run.reason == TerminationReason::kNone) {
      run.log.push_back(absl::StrCat("Start: ", training.start, "."));
      run.training_began = run.deadline.Seconds();
      run.reporter.Phase(FitPhase::kTraining, run.options.iterations);
    }
    run.stage = RunStage::kTraining;
  }
  if (run.stage == RunStage::kTraining && run.reason == TerminationReason::kNone) {
    if (absl::Status s = Train(run, training, run.options.iterations, 0); !s.ok()) return s;
  }
  TrainProposalsForEvidence(run, training);
  return EndTraining(run, training);
}

// From the choice of a start, or from where a training was interrupted.
absl::StatusOr<std::unique_ptr<TrainingRun>> BeginTraining(RunContext& run) {
  if (run.stage > RunStage::kChoice) {
    auto training = std::make_unique<TrainingRun>(*std::move(run.training), run);
    run.training.reset();
    return training;
  }
  absl::StatusOr<std::unique_ptr<TrainingRun>> chosen = ChooseStart(run);
  if (chosen.ok()) run.stage = RunStage::kPretraining;
  return chosen;
}

absl::Status TrainToTheEnd(RunContext& run) {
  absl::StatusOr<std::unique_ptr<TrainingRun>> chosen = BeginTraining(run);
  if (!chosen.ok()) return chosen.status();
  TrainingRun& training = **chosen;
  const absl::Status status = TrainFrom(run, training);
  // Without a look at it yet, what was trained is the best there is.
  if (absl::IsUnavailable(status) && !run.best.model.has_value() && training.progress.steps > 0) {
    run.best.model = training.trainer.AveragedModel();
    run.best.reports = training.progress.reports;
  }
  return status;
}

absl::Status MakeEvidence(RunContext& run, FitResult* result) {
  run.stage = RunStage::kEvidence;
  absl::StatusOr<EvidenceEstimate> evidence = FinalEvidence(
      *result->model, run.target, run.options, run.pool, run.deadline, run.reporter,
      [&run] { SafePoint(run); }, &run.evidence, &run.log);
  if (absl::IsCancelled(evidence.status())) {
    run.reason = TerminationReason::kCancelled;
    return absl::OkStatus();
  }
  if (EndsWithBestState(run, evidence.status())) return absl::OkStatus();
  if (!evidence.ok()) return evidence.status();
  result->evidence = *evidence;
  return absl::OkStatus();
}

FitResult Finish(RunContext& run, FitResult result) {
  if (run.reason == TerminationReason::kNone) run.reason = TerminationReason::kIterationLimit;
  result.reason = run.reason;
  run.reporter.MarkResult(run.best.reports);
  if (result.message.empty()) result.message = TerminationMessage(run.reason, run.options);
  result.search = run.search;
  result.log = std::move(run.log);
  return result;
}

// Draws of the target or, where the time limit left no room for any, the start.
absl::Status Sample(RunContext& run, FitResult* result) {
  const absl::Status sampled = SampleTarget(run, result);
  if (absl::IsUnavailable(sampled)) run.best.model = std::move(run.starts.front().state);
  if (!sampled.ok()) return sampled;
  if (result->model != nullptr || run.reason == TerminationReason::kCancelled) {
    return absl::OkStatus();
  }
  run.log.push_back(
      "The time limit left no room for a round of sampling: the start is the result.");
  run.best.model = std::move(run.starts.front().state);
  return absl::OkStatus();
}

absl::Status Learn(RunContext& run) {
  if (run.stage == RunStage::kLook) {
    SafePoint(run);
    if (run.options.warm_start != "none") {
      if (absl::Status s = EvaluateStart(run, run.starts.front()); !s.ok()) return s;
    }
    if (run.method.objective == nullptr) {
      // Without training the start is the result, even where there was no time to look at it.
      if (!run.best.model.has_value()) run.best.model = std::move(run.starts.front().state);
      return absl::OkStatus();
    }
    if (run.reason != TerminationReason::kNone) return absl::OkStatus();
    run.training_began = run.deadline.Seconds();
    run.stage = RunStage::kChoice;
  }
  return TrainToTheEnd(run);
}

// Up to a model.
absl::Status MakeModel(RunContext& run, FitResult* result) {
  if (run.stage == RunStage::kEvidence) return absl::OkStatus();
  run.deadline.Set(kTrainingShare);
  return run.method.samples ? Sample(run, result) : Learn(run);
}

}  // namespace

absl::StatusOr<FitResult> FitFromOneSeed(const Target& target, const FitOptions& options,
                                         const MethodEntry& method, ThreadPool& pool,
                                         const std::atomic<bool>* cancel, Reporter& reporter,
                                         Checkpointer& checkpoints, RunState state) {
  Deadline deadline(cancel, options.time_limit, state.seconds);
  RunContext run{std::move(state), target, options, method, pool, deadline, reporter, checkpoints};
  FitResult result;
  if (run.stage == RunStage::kStart) {
    const absl::Status started = MakeStarts(run);
    if (absl::IsCancelled(started)) {
      run.reason = TerminationReason::kCancelled;
      return Finish(run, std::move(result));
    }
    if (!started.ok()) return started;
  }
  const absl::Status status = MakeModel(run, &result);
  if (!status.ok() && !EndsWithBestState(run, status)) return status;
  if (run.best.model.has_value()) {
    // A copy: checkpoints of the evidence have the model too.
    result.model =
        std::make_shared<const Model>(std::make_unique<const ModelState>(*run.best.model));
  }
  const bool has_evidence = result.evidence.draws > 0;
  if (result.model != nullptr && !has_evidence && run.reason != TerminationReason::kCancelled &&
      run.reason != TerminationReason::kTargetLost) {
    if (absl::Status s = MakeEvidence(run, &result); !s.ok()) return s;
  }
  return Finish(run, std::move(result));
}

}  // namespace aisivi
