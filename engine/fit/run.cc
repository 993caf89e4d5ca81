#include "engine/fit/run.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "engine/fit/deadline.h"
#include "engine/fit/final_evidence.h"
#include "engine/fit/held_out.h"
#include "engine/fit/schedule.h"
#include "engine/fit/start.h"
#include "engine/fit/trainer.h"
#include "engine/methods/methods.h"
#include "engine/model/model_state.h"

namespace aisivi {
namespace {

constexpr int64_t kElboWindow = 100;    // iterations the running ELBO looks back
constexpr int64_t kBadSteps = 20;       // non-finite steps in a row that are no accident
constexpr int64_t kMaxBadSteps = 200;   // non-finite steps in a row before a fit gives up
constexpr int64_t kPilotIntervals = 2;  // checks of a pilot training
// A fall of the held-out ELBO by so many nats, and by this share of the best one's estimated gap,
// is no noise: the contender goes back to its best state.
constexpr double kAstray = 0.02, kAstrayShare = 0.5;
// While a check finds the held-out ELBO risen by so many nats and this share of the gap (the first
// check always does), and the contender never went astray, the rates are still too low: they grow
// by kFaster, up to kFastest.
constexpr double kClimb = 0.02, kClimbShare = 0.05;
constexpr double kFaster = 1.5, kFastest = 4;
constexpr double kLuck = 2;   // standard errors of a difference of held-out ELBOs
constexpr double kRise = 50;  // steps over which the rate rises again
// Shares of the time limit by whose end the phases are over; the rest is for the evidence.
constexpr double kStartShare = 0.5, kDescentShare = 0.6, kTrainingShare = 0.8;

// A start on its way: the model, what trains it, and when.
struct Contender {
  Contender(Start start, const Target& target, const FitOptions& options, const MethodEntry& method,
            ThreadPool& pool, const std::atomic<bool>* stop)
      : state(std::move(start.state)),
        how(std::move(start.how)),
        trainer(target, options, method, pool, &state, stop),
        schedule(options) {}

  ModelState state;
  std::string how;
  Trainer trainer;
  Schedule schedule;
  int64_t done = 0;     // family steps
  int64_t bad = 0;      // of which in a row not finite
  double residual = 0;  // sum since the last check
  int64_t residual_steps = 0;
  // The best of its own averaged states so far, and its held-out ELBO.
  std::optional<ModelState> best;
  double best_elbo = -std::numeric_limits<double>::infinity(), best_gap = kNotAvailable;
  double rate = 1;                 // factor on the learning rates, halved when it goes astray
  int64_t restored = 0;            // step of the last time
  double running = 0, weight = 0;  // exponential average of the ELBO of the steps
};

// One run of a fit.
class Fit {
 public:
  Fit(const Target& target, const FitOptions& options, const MethodEntry& method, ThreadPool& pool,
      const std::atomic<bool>* cancel, Reporter& reporter)
      : target_(target),
        options_(options),
        method_(method),
        pool_(pool),
        deadline_(cancel, options.time_limit),
        reporter_(reporter) {}

  absl::StatusOr<FitResult> Run();

 private:
  // Sets reason_ and returns true when the fit has to stop.
  bool MustStop();
  absl::StatusOr<std::vector<Start>> MakeStarts();
  // The start as it is; it may be at the ceiling already.
  absl::Status CheckStart(const Start& start);
  // Trains every start a little and keeps the one that comes farthest.
  absl::StatusOr<std::unique_ptr<Contender>> ChooseContender(std::vector<Start> starts);
  void Pretrain(Trainer& trainer);
  // Takes `contender` to step `last`, or to the end of its schedule, whichever comes first.
  // Progress is told as iteration `shown` + step.
  absl::Status Train(Contender& contender, int64_t last, int64_t shown);
  void Observe(const StepReport& report, int64_t iteration, Contender& contender);
  void HurryUp(Contender& contender);
  static double RateFactor(const Contender& contender);
  // Takes a contender that went astray back to its best state, with half the learning rates.
  void BackOff(Contender& contender, double elbo);
  // Compares the averaged state with the best so far on held-out draws, and keeps the better.
  absl::Status Check(Contender& contender, bool at_end);
  // What a check means for the learning rates, the state to return to and the schedule.
  void Steer(Contender& contender, const ModelState& averaged, const CheckReport& report);
  absl::Status TrainToTheEnd(std::vector<Start> starts);
  absl::Status MakeEvidence(FitResult* result);
  void Finish(FitResult* result);

  const Target& target_;
  const FitOptions& options_;
  const MethodEntry& method_;
  ThreadPool& pool_;
  Deadline deadline_;
  Reporter& reporter_;
  std::optional<ModelState> best_;
  HeldOut best_held_out_;
  bool hurried_ = false;       // whether the time limit brought the end of training forward
  double training_began_ = 0;  // seconds
  TerminationReason reason_ = TerminationReason::kNone;
  std::vector<std::string> log_;
};

bool Fit::MustStop() {
  if (deadline_.Cancelled()) {
    reason_ = TerminationReason::kCancelled;
  } else if (deadline_.Passed(kTrainingShare)) {
    reason_ = TerminationReason::kTimeLimit;
  }
  return reason_ != TerminationReason::kNone;
}

absl::StatusOr<std::vector<Start>> Fit::MakeStarts() {
  deadline_.Set(kStartShare);
  absl::StatusOr<std::vector<Start>> starts =
      StartModels(target_, options_, pool_, deadline_.flag(), &log_);
  if (absl::IsCancelled(starts.status()) && !deadline_.Cancelled()) {
    log_.push_back("The time limit left no room for a warm start.");
    FitOptions plain = options_;
    plain.warm_start = "none";
    starts = StartModels(target_, plain, pool_, nullptr, &log_);
  }
  deadline_.Set(kTrainingShare);
  return starts;
}

absl::Status Fit::CheckStart(const Start& start) {
  const absl::StatusOr<HeldOut> held_out =
      EvaluateHeldOut(start.state, target_, options_, pool_, deadline_.flag());
  if (absl::IsCancelled(held_out.status())) return absl::OkStatus();
  if (!held_out.ok()) return held_out.status();
  log_.push_back(absl::StrFormat("Held-out ELBO of the start: %.4f.", held_out->elbo));
  best_ = start.state;
  best_held_out_ = *held_out;
  if (held_out->at_ceiling) {
    log_.push_back("The start is already at the ceiling: nothing to train.");
    reason_ = TerminationReason::kConverged;
  }
  return absl::OkStatus();
}

void Fit::Pretrain(Trainer& trainer) {
  if (options_.flow_pretrain_iterations == 0) return;
  reporter_.Phase(FitPhase::kFlowPretraining, options_.flow_pretrain_iterations);
  for (int64_t i = 0; i < options_.flow_pretrain_iterations && !MustStop(); ++i) {
    trainer.FlowStep(1.0);
    reporter_.current().iteration = i + 1;
    reporter_.current().flow_loss = trainer.state().flow.loss;
    reporter_.current().skipped_steps = trainer.state().skipped_steps;
    reporter_.Report();
  }
}

void Fit::Observe(const StepReport& report, int64_t iteration, Contender& contender) {
  // A bias-corrected exponential average.
  const double keep = 1.0 - 1.0 / static_cast<double>(kElboWindow);
  contender.running = keep * contender.running + (1 - keep) * -report.loss;
  contender.weight = keep * contender.weight + (1 - keep);
  contender.residual += report.score_residual;
  ++contender.residual_steps;
  FitProgress& now = reporter_.current();
  now.iteration = iteration;
  now.total_iterations = std::max(iteration, now.total_iterations);
  now.loss = report.loss;
  now.flow_loss = options_.flow_steps > 0 ? report.flow_loss : kNotAvailable;
  now.proposal_ess = report.ess;
  now.score_residual = report.score_residual;
  now.elbo = contender.running / contender.weight;
  now.skipped_steps = contender.trainer.state().skipped_steps;
  reporter_.Report();
}

// With a time limit the descent has to begin in time, whatever the number of iterations left.
void Fit::HurryUp(Contender& contender) {
  if (contender.schedule.descending() || !deadline_.Passed(kDescentShare)) return;
  const double each = (deadline_.Seconds() - training_began_) /
                      static_cast<double>(std::max<int64_t>(1, contender.done));
  const double left = kTrainingShare * deadline_.limit() - deadline_.Seconds();
  contender.schedule.DescendWithin(
      contender.done, std::max<int64_t>(1, static_cast<int64_t>(std::min(left / each, 1e9))));
  hurried_ = true;
}

double Fit::RateFactor(const Contender& contender) {
  const double rise = static_cast<double>(contender.done - contender.restored + 1) / kRise;
  return contender.rate * contender.schedule.RateFactor(contender.done) *
         (contender.restored > 0 ? std::min(1.0, rise) : 1.0);
}

absl::Status Fit::Train(Contender& contender, int64_t last, int64_t shown) {
  StepReport report;
  Schedule& schedule = contender.schedule;
  while (contender.done < std::min(last, schedule.total()) && !MustStop()) {
    const absl::StatusOr<bool> fine = contender.trainer.Step(RateFactor(contender), &report);
    if (!fine.ok()) return fine.status();
    if (!*fine && MustStop()) break;
    ++contender.done;
    if (*fine) {
      contender.bad = 0;
      Observe(report, shown + contender.done, contender);
    } else if (++contender.bad % kBadSteps == 0 && contender.bad < kMaxBadSteps &&
               contender.best.has_value()) {
      BackOff(contender, kNotAvailable);
    } else if (contender.bad >= kMaxBadSteps) {
      reason_ = TerminationReason::kNumericalError;
      log_.push_back(absl::StrFormat("Stopped at iteration %d: %d steps in a row were not finite.",
                                     contender.done, contender.bad));
      return absl::OkStatus();
    }
    HurryUp(contender);
    if (schedule.CheckDue(contender.done)) {
      if (absl::Status s = Check(contender, /*at_end=*/false); !s.ok()) return s;
    }
  }
  return absl::OkStatus();
}

void Fit::BackOff(Contender& contender, double elbo) {
  contender.rate /= 2;
  contender.restored = contender.done;
  contender.trainer.Restore(*contender.best, /*forget=*/true);
  log_.push_back(absl::StrFormat(
      "Went astray at iteration %d (held-out ELBO %.4f): back to the best state, with half the "
      "learning rates.",
      contender.done, elbo));
}

absl::Status Fit::Check(Contender& contender, bool at_end) {
  const ModelState averaged = contender.trainer.AveragedModel();
  const absl::StatusOr<HeldOut> held_out =
      EvaluateHeldOut(averaged, target_, options_, pool_, deadline_.flag());
  if (absl::IsCancelled(held_out.status())) return absl::OkStatus();
  if (!held_out.ok()) return held_out.status();
  const double residual = contender.residual_steps > 0
                              ? contender.residual / static_cast<double>(contender.residual_steps)
                              : kNotAvailable;
  contender.residual = 0;
  contender.residual_steps = 0;
  // Of many noisy looks the best is a lucky one: the last state, trained longest and at the lowest
  // rate, is kept unless it is worse beyond noise.
  const double luck = at_end ? kLuck * StandardErrorOfDifference(*held_out, best_held_out_) : 0;
  const bool better = std::isfinite(held_out->elbo) &&
                      (!best_.has_value() || held_out->elbo > best_held_out_.elbo - luck);
  log_.push_back(absl::StrFormat("Held-out ELBO %s %d iterations: %.4f%s; score residual %.3g.",
                                 at_end ? "at the end, after" : "after", contender.done,
                                 held_out->elbo, better ? "" : " (not kept)", residual));
  if (better || !best_.has_value()) {
    best_ = averaged;
    best_held_out_ = *held_out;
    if (held_out->at_ceiling) reason_ = TerminationReason::kConverged;
  }
  if (!at_end) Steer(contender, averaged, {held_out->elbo, held_out->gap, residual});
  return absl::OkStatus();
}

void Fit::Steer(Contender& contender, const ModelState& averaged, const CheckReport& report) {
  const bool published = options_.decay_every > 0;        // whose rates are what they are
  const double rise = report.elbo - contender.best_elbo;  // infinite at the first check
  if (!published && !(rise > -std::fmax(kAstray, kAstrayShare * contender.best_gap))) {
    BackOff(contender, report.elbo);
    return;
  }
  if (!published && options_.adaptive && contender.restored == 0 &&
      !contender.schedule.descending() && contender.rate < kFastest &&
      rise > std::fmax(kClimb, kClimbShare * report.gap)) {
    contender.rate = std::min(kFastest, kFaster * contender.rate);
    log_.push_back(absl::StrFormat("The ELBO climbs: learning rates times %.3g.", contender.rate));
  }
  if (!(report.elbo <= contender.best_elbo)) {
    contender.best = averaged;
    contender.best_elbo = report.elbo;
    contender.best_gap = report.gap;
  }
  const bool before = contender.schedule.descending();
  contender.schedule.RecordCheck(contender.done, report);
  if (contender.schedule.descending() && !before) {
    if (contender.best.has_value()) contender.trainer.Restore(*contender.best, /*forget=*/false);
    reporter_.current().total_iterations += contender.schedule.total() - options_.iterations;
    log_.push_back(absl::StrFormat(
        "The learning rate descends from iteration %d to %d%s.", contender.done,
        contender.schedule.total(),
        contender.schedule.settled() ? ": ELBO and score residual have settled" : ""));
  }
}

absl::StatusOr<std::unique_ptr<Contender>> Fit::ChooseContender(std::vector<Start> starts) {
  std::unique_ptr<Contender> chosen;
  const int64_t count = static_cast<int64_t>(starts.size());
  int64_t shown = 0;
  for (Start& start : starts) {
    auto contender = std::make_unique<Contender>(std::move(start), target_, options_, method_,
                                                 pool_, deadline_.flag());
    contender->best = contender->state;
    if (count == 1) return contender;
    const int64_t pilot =
        std::min(options_.iterations, kPilotIntervals * contender->schedule.interval());
    if (shown == 0) reporter_.Phase(FitPhase::kWarmStart, count * pilot);
    if (absl::Status s = Train(*contender, pilot, shown); !s.ok()) return s;
    shown += pilot;
    log_.push_back(absl::StrFormat("Pilot training from %s: held-out ELBO %.4f.", contender->how,
                                   contender->best_elbo));
    if (reason_ == TerminationReason::kNumericalError && count > 1) {
      reason_ = TerminationReason::kNone;  // another start may do
    }
    if (chosen == nullptr || contender->best_elbo > chosen->best_elbo) {
      chosen = std::move(contender);
    }
    if (reason_ != TerminationReason::kNone) break;
  }
  return chosen;
}

absl::Status Fit::TrainToTheEnd(std::vector<Start> starts) {
  training_began_ = deadline_.Seconds();
  absl::StatusOr<std::unique_ptr<Contender>> chosen = ChooseContender(std::move(starts));
  if (!chosen.ok()) return chosen.status();
  Contender& contender = **chosen;
  Pretrain(contender.trainer);
  if (contender.done == 0) contender.best = contender.state;  // its proposal has been trained
  if (reason_ == TerminationReason::kNone) {
    log_.push_back(absl::StrCat("Start: ", contender.how, "."));
    training_began_ = deadline_.Seconds();
    reporter_.Phase(FitPhase::kTraining, options_.iterations);
    if (absl::Status s = Train(contender, options_.iterations, 0); !s.ok()) return s;
  }
  const Trainer& trainer = contender.trainer;
  if (trainer.state().skipped_steps > 0) {
    log_.push_back(
        absl::StrFormat("%d steps were skipped: not finite.", trainer.state().skipped_steps));
  }
  if (trainer.state().adaptation.total_inner_samples != options_.inner_samples * options_.chunks ||
      trainer.state().adaptation.flow_steps != options_.flow_steps) {
    log_.push_back(absl::StrFormat("Training ended with %d inner samples and %d flow steps.",
                                   trainer.state().adaptation.total_inner_samples,
                                   trainer.state().adaptation.flow_steps));
  }
  if (reason_ == TerminationReason::kCancelled || reason_ == TerminationReason::kConverged) {
    return absl::OkStatus();
  }
  const TerminationReason reason = std::exchange(reason_, TerminationReason::kNone);
  deadline_.Set(1);
  if (contender.done > 0 || !best_.has_value()) {
    if (absl::Status s = Check(contender, /*at_end=*/true); !s.ok()) return s;
  }
  if (!best_.has_value()) best_ = trainer.AveragedModel();
  if (reason != TerminationReason::kNone) {
    reason_ = reason;
  } else if (hurried_) {
    reason_ = TerminationReason::kTimeLimit;
  } else if (contender.schedule.settled()) {
    reason_ = TerminationReason::kConverged;
  }
  return absl::OkStatus();
}

absl::Status Fit::MakeEvidence(FitResult* result) {
  absl::StatusOr<EvidenceEstimate> evidence =
      FinalEvidence(*result->model, target_, options_, pool_, deadline_, reporter_, &log_);
  if (absl::IsCancelled(evidence.status())) {
    reason_ = TerminationReason::kCancelled;
    return absl::OkStatus();
  }
  if (!evidence.ok()) return evidence.status();
  result->evidence = *evidence;
  return absl::OkStatus();
}

void Fit::Finish(FitResult* result) {
  if (reason_ == TerminationReason::kNone) reason_ = TerminationReason::kIterationLimit;
  result->reason = reason_;
  switch (reason_) {
    case TerminationReason::kCancelled:
      result->message = "The fit was cancelled.";
      break;
    case TerminationReason::kTimeLimit:
      result->message = "The time limit was reached; the best state so far is kept.";
      break;
    case TerminationReason::kNumericalError:
      result->message = "Too many steps were not finite; the best state so far is kept.";
      break;
    case TerminationReason::kConverged:
      result->message =
          "The estimated gap to log Z is closed, or ELBO and score residual have settled.";
      break;
    default:
      result->message = options_.iterations == 0
                            ? "The start is the result: no training was asked for."
                            : "All iterations are done.";
  }
  result->log = std::move(log_);
}

absl::StatusOr<FitResult> Fit::Run() {
  FitResult result;
  reporter_.Phase(FitPhase::kWarmStart, 0);
  absl::StatusOr<std::vector<Start>> starts = MakeStarts();
  if (absl::IsCancelled(starts.status())) {
    reason_ = TerminationReason::kCancelled;
    Finish(&result);
    return result;
  }
  if (!starts.ok()) return starts.status();
  if (options_.warm_start != "none") {
    if (absl::Status s = CheckStart(starts->front()); !s.ok()) return s;
  }
  if (reason_ == TerminationReason::kNone) {
    if (absl::Status s = TrainToTheEnd(*std::move(starts)); !s.ok()) return s;
  }
  if (best_.has_value()) {
    result.model =
        std::make_shared<const Model>(std::make_unique<const ModelState>(*std::move(best_)));
  }
  if (result.model != nullptr && reason_ != TerminationReason::kCancelled) {
    if (absl::Status s = MakeEvidence(&result); !s.ok()) return s;
  }
  Finish(&result);
  return result;
}

}  // namespace

absl::StatusOr<FitResult> RunOnce(const Target& target, const FitOptions& options,
                                  const MethodEntry& method, ThreadPool& pool,
                                  const std::atomic<bool>* cancel, Reporter& reporter) {
  return Fit(target, options, method, pool, cancel, reporter).Run();
}

}  // namespace aisivi
