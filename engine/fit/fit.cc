#include "engine/fit/fit.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "absl/strings/str_format.h"
#include "engine/fit/reporter.h"
#include "engine/fit/start.h"
#include "engine/fit/trainer.h"
#include "engine/methods/methods.h"
#include "engine/model/model_state.h"

namespace aisivi {
namespace {

constexpr int64_t kElboWindow = 100;      // iterations the running ELBO looks back
constexpr int64_t kMaxBadSteps = 200;     // non-finite steps in a row before a fit gives up
constexpr int64_t kWarmUp = 50;           // iterations over which the learning rate rises
constexpr double kFloor = 0.01;           // of the cosine descent
constexpr double kTrainingShare = 0.8;    // of the time limit; the rest is for the evidence
constexpr int64_t kEvidenceChunk = 1024;  // draws between two looks at the clock
// Held-out comparison of states: the same draws for all.
constexpr int64_t kCheckDraws = 2048;
constexpr int64_t kCheckInner = 128;
constexpr uint64_t kCheckSeed = 0x5EEDC4EC;
constexpr int64_t kChecks = 4;  // over the second half of the iterations
// The fit is at its ceiling when log Ẑ − ELBO, an estimate of KL(q‖p), is below this (nats), and
// training is of no use when half of it did not raise the held-out ELBO of the start by this.
constexpr double kTolerance = 0.002;
constexpr double kTrustedParetoK = 0.7;
// The final evidence doubles K until the sandwich of a first chunk is this narrow (nats), K is so
// many times what was asked for, or the whole estimate would take this many floating-point
// operations.
constexpr double kSandwich = 0.001;
constexpr int64_t kMaxGrowth = 64;
constexpr int64_t kMaxInner = 1 << 22;  // the most that Draw takes
constexpr double kEvidenceFlop = 2e12;

double RateFactor(const FitOptions& o, int64_t iteration) {
  if (o.decay_every > 0) {
    return std::pow(o.decay, static_cast<double>(iteration / o.decay_every));
  }
  const double t =
      static_cast<double>(iteration) / static_cast<double>(std::max<int64_t>(1, o.iterations));
  const double rise = std::min(1.0, static_cast<double>(iteration + 1) / kWarmUp);
  return rise * (kFloor + (1 - kFloor) * 0.5 * (1 + std::cos(3.14159265358979324 * t)));
}

class Fit {
 public:
  Fit(const Target& target, const FitOptions& options, const MethodEntry& method, ThreadPool& pool,
      const FitControl& control)
      : target_(target),
        options_(options),
        method_(method),
        pool_(pool),
        cancel_(control.cancel),
        reporter_(control.on_progress) {}

  absl::StatusOr<FitResult> Run();

 private:
  bool Cancelled() const { return cancel_ != nullptr && cancel_->load(std::memory_order_relaxed); }
  bool OutOfTime(double share) const {
    return options_.time_limit > 0 && reporter_.Seconds() >= share * options_.time_limit;
  }
  // Sets reason_ and returns true when the fit has to stop.
  bool MustStop();
  absl::Status Pretrain(Trainer& trainer);
  absl::Status Train(Trainer& trainer);
  void Observe(const StepReport& report, int64_t iteration, const Trainer& trainer);
  // Compares the current state with the best so far on held-out draws, and keeps the better.
  absl::Status Check(const char* when);
  absl::StatusOr<int64_t> ChooseInnerSamples(const Model& model);
  absl::Status MakeEvidence(FitResult* result);
  void Finish(FitResult* result);

  const Target& target_;
  const FitOptions& options_;
  const MethodEntry& method_;
  ThreadPool& pool_;
  const std::atomic<bool>* cancel_;
  Reporter reporter_;
  ModelState state_;
  std::optional<ModelState> best_;
  double best_elbo_ = 0, start_elbo_ = 0;  // held-out
  double elbo_ = 0, elbo_weight_ = 0;
  TerminationReason reason_ = TerminationReason::kNone;
  std::vector<std::string> log_;
};

bool Fit::MustStop() {
  if (Cancelled()) {
    reason_ = TerminationReason::kCancelled;
  } else if (OutOfTime(kTrainingShare)) {
    reason_ = TerminationReason::kTimeLimit;
  }
  return reason_ != TerminationReason::kNone;
}

absl::Status Fit::Pretrain(Trainer& trainer) {
  if (options_.flow_pretrain_iterations == 0) return absl::OkStatus();
  reporter_.Phase(FitPhase::kFlowPretraining, options_.flow_pretrain_iterations);
  for (int64_t i = 0; i < options_.flow_pretrain_iterations && !MustStop(); ++i) {
    trainer.FlowStep(1.0);
    reporter_.current().iteration = i + 1;
    reporter_.current().flow_loss = trainer.flow_loss();
    reporter_.current().skipped_steps = trainer.skipped_steps();
    reporter_.Report();
  }
  return absl::OkStatus();
}

void Fit::Observe(const StepReport& report, int64_t iteration, const Trainer& trainer) {
  // A bias-corrected exponential average.
  const double keep = 1.0 - 1.0 / static_cast<double>(kElboWindow);
  elbo_ = keep * elbo_ + (1 - keep) * -report.loss;
  elbo_weight_ = keep * elbo_weight_ + (1 - keep);
  FitProgress& now = reporter_.current();
  now.iteration = iteration;
  now.loss = report.loss;
  now.flow_loss = options_.flow_steps > 0 ? report.flow_loss : kNotAvailable;
  now.proposal_ess = report.ess;
  now.score_residual = report.score_residual;
  now.elbo = elbo_ / elbo_weight_;
  now.skipped_steps = trainer.skipped_steps();
  reporter_.Report();
}

absl::Status Fit::Train(Trainer& trainer) {
  reporter_.Phase(FitPhase::kTraining, options_.iterations);
  int64_t bad = 0;
  StepReport report;
  for (int64_t i = 0; i < options_.iterations && !MustStop(); ++i) {
    const absl::StatusOr<bool> fine = trainer.Step(RateFactor(options_, i), &report);
    if (!fine.ok()) return fine.status();
    if (*fine) {
      bad = 0;
      Observe(report, i + 1, trainer);
    } else if (++bad == kMaxBadSteps) {
      reason_ = TerminationReason::kNumericalError;
      log_.push_back(absl::StrFormat("Stopped at iteration %d: %d steps in a row were not finite.",
                                     i + 1, bad));
      return absl::OkStatus();
    }
    // Checks fall into the second half, where the learning rate descends.
    const int64_t half = options_.iterations / 2;
    if (i + 1 > half &&
        (i + 1 - half) * kChecks / std::max<int64_t>(1, half) !=
            (i - half) * kChecks / std::max<int64_t>(1, half) &&
        i + 1 < options_.iterations) {
      const bool halfway = i + 1 - half <= (half + kChecks - 1) / kChecks;
      if (absl::Status s = Check("on the way"); !s.ok()) return s;
      if (halfway && options_.warm_start != "none" && best_elbo_ < start_elbo_ + kTolerance) {
        log_.push_back("Training does not improve on the start: stopped half-way.");
        reason_ = TerminationReason::kConverged;
      }
    }
  }
  return absl::OkStatus();
}

absl::Status Fit::Check(const char* when) {
  const Model model(std::make_unique<const ModelState>(state_));
  const absl::StatusOr<EvidenceEstimate> estimate =
      EstimateEvidence(model, target_, kCheckSeed, std::min(kCheckDraws, options_.evidence_draws),
                       std::min(kCheckInner, options_.evidence_inner_samples), pool_, cancel_);
  if (absl::IsCancelled(estimate.status())) return absl::OkStatus();
  if (!estimate.ok()) return estimate.status();
  const double elbo = estimate->non_finite * 2 > estimate->draws
                          ? -std::numeric_limits<double>::infinity()
                          : estimate->elbo_lower;
  const bool better = std::isfinite(elbo) && (!best_.has_value() || elbo > best_elbo_);
  if (!best_.has_value()) start_elbo_ = elbo;
  if (estimate->pareto_k < kTrustedParetoK && estimate->standard_error < kTolerance &&
      estimate->log_z - elbo < kTolerance) {
    reason_ = TerminationReason::kConverged;
  }
  log_.push_back(
      absl::StrFormat("Held-out ELBO %s: %.4f%s.", when, elbo, better ? "" : " (not kept)"));
  if (better || !best_.has_value()) {
    best_ = state_;
    best_elbo_ = elbo;
  }
  return absl::OkStatus();
}

// K as the options say, or more where the bounds are still apart.
absl::StatusOr<int64_t> Fit::ChooseInnerSamples(const Model& model) {
  const Component& component = model.state().components.front();
  const double flop_each = 2.0 * static_cast<double>(component.family.parameters().size() +
                                                     component.proposal.parameters().size() / 2);
  int64_t k = options_.evidence_inner_samples;
  const int64_t most = std::min(kMaxInner, kMaxGrowth * k);
  while (2 * k <= most && !OutOfTime(kTrainingShare) &&
         2.0 * static_cast<double>(k * options_.evidence_draws) * flop_each < kEvidenceFlop) {
    const absl::StatusOr<DrawBatch> pilot =
        Draw(model, &target_, options_.seed, 0, std::min(kEvidenceChunk, options_.evidence_draws),
             k, pool_, cancel_);
    if (!pilot.ok()) return pilot.status();
    const EvidenceEstimate estimate = EvidenceFromDraws(*pilot, k);
    if (!(estimate.elbo_upper - estimate.elbo_lower > kSandwich)) break;
    k *= 2;
  }
  if (k > options_.evidence_inner_samples) {
    log_.push_back(
        absl::StrFormat("The evidence uses %d inner samples to bring its bounds together.", k));
  }
  return k;
}

absl::Status Fit::MakeEvidence(FitResult* result) {
  reporter_.Phase(FitPhase::kEvidence, options_.evidence_draws);
  const int64_t total = options_.evidence_draws;
  const absl::StatusOr<int64_t> chosen = ChooseInnerSamples(*result->model);
  if (absl::IsCancelled(chosen.status())) {
    reason_ = TerminationReason::kCancelled;
    return absl::OkStatus();
  }
  if (!chosen.ok()) return chosen.status();
  const int64_t k = *chosen;
  DrawBatch all;
  all.z.resize(target_.dim(), total);
  all.log_p.resize(total);
  all.log_q.resize(total);
  all.log_q_upper.resize(total);
  int64_t done = 0;
  while (done < total) {
    const int64_t n = std::min(kEvidenceChunk, total - done);
    absl::StatusOr<DrawBatch> part =
        Draw(*result->model, &target_, options_.seed, done, n, k, pool_, cancel_);
    if (absl::IsCancelled(part.status())) {
      reason_ = TerminationReason::kCancelled;
      return absl::OkStatus();
    }
    if (!part.ok()) return part.status();
    all.z.middleCols(done, n) = part->z;
    all.log_p.segment(done, n) = part->log_p;
    all.log_q.segment(done, n) = part->log_q;
    all.log_q_upper.segment(done, n) = part->log_q_upper;
    done += n;
    reporter_.current().iteration = done;
    reporter_.Report();
    if (OutOfTime(1.0)) break;
  }
  all.z.conservativeResize(Eigen::NoChange, done);
  all.log_p.conservativeResize(done);
  all.log_q.conservativeResize(done);
  all.log_q_upper.conservativeResize(done);
  result->evidence = EvidenceFromDraws(all, k);
  reporter_.current().log_z = result->evidence.log_z;
  reporter_.current().elbo = result->evidence.elbo_lower;
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
          "The estimated gap to log Z is closed, or training no longer raises the ELBO.";
      break;
    default:
      result->message = "All iterations are done.";
  }
  reporter_.Phase(FitPhase::kDone, 0);
  result->last = reporter_.current();
  result->history = reporter_.TakeHistory();
  result->log = std::move(log_);
}

absl::StatusOr<FitResult> Fit::Run() {
  FitResult result;
  reporter_.Phase(FitPhase::kWarmStart, 0);
  absl::StatusOr<ModelState> start = StartModel(target_, options_, pool_, cancel_, &log_);
  if (absl::IsCancelled(start.status())) {
    reason_ = TerminationReason::kCancelled;
    Finish(&result);
    return result;
  }
  if (!start.ok()) return start.status();
  state_ = *std::move(start);
  if (options_.warm_start != "none") {
    if (absl::Status s = Check("of the start"); !s.ok()) return s;
  }
  if (reason_ == TerminationReason::kConverged) {
    log_.push_back("The start is already at the ceiling: nothing to train.");
  } else {
    Trainer trainer(target_, options_, method_, pool_, &state_, cancel_);
    if (absl::Status s = Pretrain(trainer); !s.ok()) return s;
    if (reason_ == TerminationReason::kNone) {
      if (absl::Status s = Train(trainer); !s.ok()) return s;
    }
    if (trainer.skipped_steps() > 0) {
      log_.push_back(
          absl::StrFormat("%d steps were skipped: not finite.", trainer.skipped_steps()));
    }
  }
  if (reason_ != TerminationReason::kCancelled && reason_ != TerminationReason::kConverged) {
    const TerminationReason reason = std::exchange(reason_, TerminationReason::kNone);
    if (absl::Status s = Check("at the end"); !s.ok()) return s;
    if (reason != TerminationReason::kNone) reason_ = reason;
  }
  if (best_.has_value()) state_ = *std::move(best_);
  result.model =
      std::make_shared<const Model>(std::make_unique<const ModelState>(std::move(state_)));
  if (reason_ != TerminationReason::kCancelled) {
    if (absl::Status s = MakeEvidence(&result); !s.ok()) return s;
  }
  Finish(&result);
  return result;
}

}  // namespace

absl::StatusOr<FitResult> RunFit(const Target& target, const FitOptions& options, ThreadPool& pool,
                                 const FitControl& control) {
  if (absl::Status s = ValidateOptions(options, target.dim()); !s.ok()) return s;
  absl::StatusOr<const MethodEntry*> method = FindMethod(options.method);
  if (!method.ok()) return method.status();
  if ((*method)->needs_proposal && options.flow_steps == 0 &&
      options.flow_pretrain_iterations == 0) {
    return absl::InvalidArgumentError("flow_steps: the method needs at least 1");
  }
  return Fit(target, options, **method, pool, control).Run();
}

}  // namespace aisivi
