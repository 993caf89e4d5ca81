#include "engine/fit/fit.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "engine/evidence/agreement.h"
#include "engine/fit/checkpoint.h"
#include "engine/fit/checkpoint_check.h"
#include "engine/fit/checkpointer.h"
#include "engine/fit/deadline.h"
#include "engine/fit/final_evidence.h"
#include "engine/fit/reporter.h"
#include "engine/fit/run.h"
#include "engine/fit/termination.h"
#include "engine/methods/methods.h"
#include "engine/parallel/rng.h"

namespace aisivi {
namespace {

constexpr int64_t kAgreementDraws = 4096;

constexpr double kLeastSeconds = 0.05;
// What the evidence of the best run takes of the time limit, in units of a run: the share of a run
// that is left to its own.
constexpr double kEvidenceRuns = 0.2;

bool HasEvidence(const FitResult& result) {
  return result.model != nullptr && std::isfinite(result.evidence.elbo_lower);
}

// By what would end another run as well.
bool WasCutShort(const FitResult& result) {
  return result.reason == TerminationReason::kCancelled ||
         result.reason == TerminationReason::kTargetLost;
}

// Whether `a` is better than `b`. A model is better than none, and one whose evidence is finite
// than one without.
bool Better(const FitResult& a, const FitResult& b) {
  if (HasEvidence(a) && HasEvidence(b)) return a.evidence.elbo_lower > b.evidence.elbo_lower;
  if (HasEvidence(a) || HasEvidence(b)) return HasEvidence(a);
  return a.model != nullptr && b.model == nullptr;
}

// Runs of the same fit under seeds of their own; the best of them is the result.
class Restarts {
 public:
  // Goes on from `checkpoint`.
  Restarts(const Target& target, const FitOptions& options, const MethodEntry& method,
           ThreadPool& pool, const FitControl& control, FitCheckpoint checkpoint)
      : target_(target),
        options_(options),
        method_(method),
        pool_(pool),
        control_(control),
        state_(std::move(checkpoint.restarts)),
        resumed_(std::move(checkpoint.run)),
        reporter_(control.on_progress, std::move(checkpoint.record), checkpoint.seconds),
        checkpoints_(target, options_, control, reporter_, state_) {}

  absl::StatusOr<FitResult> Run();

 private:
  FitOptions OptionsOf(int64_t run) const;
  double TimeLimitOf(int64_t run) const;
  absl::Status AddDraws(const Model& model);
  // Run number state_.run, as a result of its own; its log goes to that of all.
  absl::StatusOr<FitResult> RunNext();
  // Takes the result for the best where it is.
  void Compare(FitResult result);
  absl::Status EstimateAfresh();
  // The best as the end of a fit whose target was lost in or after another run.
  void Lose(const absl::Status& error);
  FitResult Finish();

  const Target& target_;
  const FitOptions& options_;
  const MethodEntry& method_;
  ThreadPool& pool_;
  const FitControl& control_;
  RestartsState state_;
  std::optional<RunState> resumed_;  // the run that was interrupted, until it goes on
  Reporter reporter_;
  Checkpointer checkpoints_;
};

FitOptions Restarts::OptionsOf(int64_t run) const {
  FitOptions options = options_;
  // The first run is the fit that one run would be.
  if (run > 0) {
    options.seed = SubSeed(options_.seed, RngPurpose::kRunSeed, static_cast<uint64_t>(run));
  }
  if (options.time_limit > 0) options.time_limit = TimeLimitOf(run);
  return options;
}

double Restarts::TimeLimitOf(int64_t run) const {
  if (resumed_.has_value() && resumed_->time_limit > 0) return resumed_->time_limit;
  const double left = options_.time_limit - reporter_.Seconds();
  const double runs = static_cast<double>(options_.restarts - run);
  return std::max(kLeastSeconds, left / (options_.restarts == 1 ? 1 : runs + kEvidenceRuns));
}

absl::Status Restarts::AddDraws(const Model& model) {
  absl::StatusOr<DrawBatch> batch =
      Draw(model, nullptr, SubSeed(options_.seed, RngPurpose::kAgreementSeed, state_.draws.size()),
           0, kAgreementDraws, 0, pool_, control_.cancel);
  if (absl::IsCancelled(batch.status())) return absl::OkStatus();
  if (!batch.ok()) return batch.status();
  state_.draws.push_back(std::move(batch->z));
  return absl::OkStatus();
}

absl::StatusOr<FitResult> Restarts::RunNext() {
  const FitOptions options = OptionsOf(state_.run);
  RunState state = std::exchange(resumed_, std::nullopt).value_or(RunState());
  absl::StatusOr<FitResult> result = FitFromOneSeed(
      target_, options, method_, pool_, control_.cancel, reporter_, checkpoints_, std::move(state));
  if (!result.ok()) return result.status();
  for (std::string& line : result->log) {
    state_.log.push_back(options_.restarts == 1 ? std::move(line)
                                                : absl::StrCat("Run ", state_.run + 1, ": ", line));
  }
  result->last = reporter_.current();
  result->history = reporter_.EndRun();
  if (options_.restarts == 1 || result->model == nullptr || WasCutShort(*result)) return result;
  state_.elbo.push_back(result->evidence.elbo_lower);
  if (absl::Status s = AddDraws(*result->model); !s.ok()) return s;
  return result;
}

void Restarts::Compare(FitResult result) {
  state_.with_evidence += HasEvidence(result) ? 1 : 0;
  if (state_.best.has_value() && !Better(result, *state_.best)) return;
  state_.best = std::move(result);
  state_.kept = state_.run + 1;
}

absl::Status Restarts::EstimateAfresh() {
  FitResult& best = *state_.best;
  if (!state_.afresh) {
    state_.log.push_back(absl::StrFormat(
        "Run %d is kept, with an elbo_lower of %.4f, the best of %d; its evidence is estimated "
        "anew, from fresh draws.",
        state_.kept, best.evidence.elbo_lower, state_.with_evidence));
    state_.afresh = true;
  }
  FitOptions options = options_;
  options.seed = SubSeed(options_.seed, RngPurpose::kEvidenceSeed, 0);
  const double left = std::max(kLeastSeconds, options_.time_limit - reporter_.Seconds());
  Deadline deadline(control_.cancel, options_.time_limit > 0 ? left : 0);
  const auto safe_point = [this] {
    if (checkpoints_.Due()) checkpoints_.Save(std::nullopt);
  };
  const absl::StatusOr<EvidenceEstimate> evidence =
      FinalEvidence(*best.model, target_, options, pool_, deadline, reporter_, safe_point,
                    &state_.evidence, &state_.log);
  if (absl::IsCancelled(evidence.status())) {
    best.reason = TerminationReason::kCancelled;
    return absl::OkStatus();
  }
  if (absl::IsUnavailable(evidence.status())) {
    Lose(evidence.status());
    return absl::OkStatus();
  }
  if (!evidence.ok()) return evidence.status();
  best.evidence = *evidence;
  return absl::OkStatus();
}

void Restarts::Lose(const absl::Status& error) {
  state_.log.push_back(absl::StrCat("The target was lost: ", std::string(error.message()), "."));
  state_.best->reason = TerminationReason::kTargetLost;
}

FitResult Restarts::Finish() {
  FitResult best = *std::move(state_.best);
  if (best.reason == TerminationReason::kTargetLost) {
    best.message = TerminationMessage(best.reason, options_);
    // Of a run before, whose good luck made it the best.
    if (!method_.samples) best.evidence = {};
  }
  if (best.reason == TerminationReason::kCancelled) best.message = "The fit was cancelled.";
  if (options_.restarts > 1) best.r_hat = RHat(state_.draws);
  best.restart_elbo = std::move(state_.elbo);
  best.log = std::move(state_.log);
  reporter_.current() = best.last;
  reporter_.current().log_z = best.evidence.log_z;
  if (std::isfinite(best.evidence.elbo_lower)) {
    reporter_.current().elbo = best.evidence.elbo_lower;
  }
  reporter_.Phase(FitPhase::kDone, 0);
  best.last = reporter_.current();
  return best;
}

absl::StatusOr<FitResult> Restarts::Run() {
  if (!control_.resume_from.empty()) reporter_.Show();
  TerminationReason cut_short = TerminationReason::kNone;
  for (; state_.run < options_.restarts && cut_short == TerminationReason::kNone; ++state_.run) {
    absl::StatusOr<FitResult> result = RunNext();
    if (absl::IsUnavailable(result.status()) && state_.best.has_value() &&
        state_.best->model != nullptr) {
      Lose(result.status());
      return Finish();
    }
    if (!result.ok()) return result.status();
    if (WasCutShort(*result)) cut_short = result->reason;
    Compare(*std::move(result));
  }
  if (cut_short != TerminationReason::kNone) {
    state_.best->reason = cut_short;
  } else if (state_.with_evidence > 1) {
    if (absl::Status s = EstimateAfresh(); !s.ok()) return s;
  }
  return Finish();
}

// A fit that begins is one that goes on from nothing.
absl::StatusOr<FitCheckpoint> WhereToBegin(const Target& target, const FitOptions& options,
                                           const MethodEntry& method, const FitControl& control) {
  if (control.resume_from.empty()) return FitCheckpoint();
  absl::StatusOr<FitCheckpoint> checkpoint = ParseCheckpoint(control.resume_from);
  if (!checkpoint.ok()) return checkpoint.status();
  if (absl::Status s = CheckCheckpoint(*checkpoint, target, options, method); !s.ok()) return s;
  return checkpoint;
}

}  // namespace

absl::StatusOr<FitResult> RunFit(const Target& target, const FitOptions& options, ThreadPool& pool,
                                 const FitControl& control) {
  FitOptions applied = options;
  ApplyMethod(&applied);
  if (absl::Status s = ValidateOptions(applied, target.dim()); !s.ok()) return s;
  absl::StatusOr<const MethodEntry*> method = FindMethod(options.method);
  if (!method.ok()) return method.status();
  if ((*method)->needs_proposal && applied.flow_steps == 0 &&
      applied.flow_pretrain_iterations == 0) {
    return absl::InvalidArgumentError("flow_steps: the method needs at least 1");
  }
  absl::StatusOr<FitCheckpoint> begin = WhereToBegin(target, applied, **method, control);
  if (!begin.ok()) return begin.status();
  return Restarts(target, applied, **method, pool, control, *std::move(begin)).Run();
}

}  // namespace aisivi
