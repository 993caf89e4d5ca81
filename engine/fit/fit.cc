#include "engine/fit/fit.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "engine/evidence/agreement.h"
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
  Restarts(const Target& target, const FitOptions& options, const MethodEntry& method,
           ThreadPool& pool, const FitControl& control)
      : target_(target),
        options_(options),
        method_(method),
        pool_(pool),
        control_(control),
        reporter_(control.on_progress) {}

  absl::StatusOr<FitResult> Run();

 private:
  FitOptions OptionsOf(int64_t run) const;
  absl::Status AddDraws(const Model& model);
  // One run, as a result of its own; its log goes to log_.
  absl::StatusOr<FitResult> RunNumber(int64_t run);
  absl::Status EstimateAfresh(FitResult* best);
  // `best` as the end of a fit whose target was lost in or after another run.
  void Lose(const absl::Status& error, FitResult* best);
  FitResult Finish(FitResult best);

  const Target& target_;
  const FitOptions& options_;
  const MethodEntry& method_;
  ThreadPool& pool_;
  const FitControl& control_;
  Reporter reporter_;
  std::vector<Eigen::MatrixXd> draws_;
  std::vector<double> elbo_;
  std::vector<std::string> log_;
};

FitOptions Restarts::OptionsOf(int64_t run) const {
  FitOptions options = options_;
  // The first run is the fit that one run would be.
  if (run > 0) {
    options.seed = SubSeed(options_.seed, RngPurpose::kRunSeed, static_cast<uint64_t>(run));
  }
  if (options.time_limit > 0) {
    const double left = options_.time_limit - reporter_.Seconds();
    const double runs = static_cast<double>(options_.restarts - run);
    options.time_limit =
        std::max(kLeastSeconds, left / (options_.restarts == 1 ? 1 : runs + kEvidenceRuns));
  }
  return options;
}

absl::Status Restarts::AddDraws(const Model& model) {
  absl::StatusOr<DrawBatch> batch =
      Draw(model, nullptr, SubSeed(options_.seed, RngPurpose::kAgreementSeed, draws_.size()), 0,
           kAgreementDraws, 0, pool_, control_.cancel);
  if (absl::IsCancelled(batch.status())) return absl::OkStatus();
  if (!batch.ok()) return batch.status();
  draws_.push_back(std::move(batch->z));
  return absl::OkStatus();
}

absl::StatusOr<FitResult> Restarts::RunNumber(int64_t run) {
  absl::StatusOr<FitResult> result =
      FitFromOneSeed(target_, OptionsOf(run), method_, pool_, control_.cancel, reporter_);
  if (!result.ok()) return result.status();
  for (std::string& line : result->log) {
    log_.push_back(options_.restarts == 1 ? std::move(line)
                                          : absl::StrCat("Run ", run + 1, ": ", line));
  }
  result->last = reporter_.current();
  result->history = reporter_.EndRun();
  if (options_.restarts == 1 || result->model == nullptr || WasCutShort(*result)) return result;
  elbo_.push_back(result->evidence.elbo_lower);
  if (absl::Status s = AddDraws(*result->model); !s.ok()) return s;
  return result;
}

absl::Status Restarts::EstimateAfresh(FitResult* best) {
  FitOptions options = options_;
  options.seed = SubSeed(options_.seed, RngPurpose::kEvidenceSeed, 0);
  const double left = std::max(kLeastSeconds, options_.time_limit - reporter_.Seconds());
  Deadline deadline(control_.cancel, options_.time_limit > 0 ? left : 0);
  const absl::StatusOr<EvidenceEstimate> evidence =
      FinalEvidence(*best->model, target_, options, pool_, deadline, reporter_, &log_);
  if (absl::IsCancelled(evidence.status())) {
    best->reason = TerminationReason::kCancelled;
    return absl::OkStatus();
  }
  if (absl::IsUnavailable(evidence.status())) {
    Lose(evidence.status(), best);
    return absl::OkStatus();
  }
  if (!evidence.ok()) return evidence.status();
  best->evidence = *evidence;
  return absl::OkStatus();
}

void Restarts::Lose(const absl::Status& error, FitResult* best) {
  log_.push_back(absl::StrCat("The target was lost: ", std::string(error.message()), "."));
  best->reason = TerminationReason::kTargetLost;
}

FitResult Restarts::Finish(FitResult best) {
  if (best.reason == TerminationReason::kTargetLost) {
    best.message = TerminationMessage(best.reason, options_);
    // Of a run before, whose good luck made it the best.
    if (!method_.samples) best.evidence = {};
  }
  if (best.reason == TerminationReason::kCancelled) best.message = "The fit was cancelled.";
  if (options_.restarts > 1) best.r_hat = RHat(draws_);
  best.restart_elbo = std::move(elbo_);
  best.log = std::move(log_);
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
  std::optional<FitResult> best;
  int64_t kept = 0, with_evidence = 0;
  TerminationReason cut_short = TerminationReason::kNone;
  for (int64_t run = 0; run < options_.restarts && cut_short == TerminationReason::kNone; ++run) {
    absl::StatusOr<FitResult> result = RunNumber(run);
    if (absl::IsUnavailable(result.status()) && best.has_value() && best->model != nullptr) {
      Lose(result.status(), &*best);
      return Finish(*std::move(best));
    }
    if (!result.ok()) return result.status();
    if (WasCutShort(*result)) cut_short = result->reason;
    with_evidence += HasEvidence(*result) ? 1 : 0;
    if (best.has_value() && !Better(*result, *best)) continue;
    best = *std::move(result);
    kept = run + 1;
  }
  if (cut_short != TerminationReason::kNone) {
    best->reason = cut_short;
  } else if (with_evidence > 1) {
    log_.push_back(absl::StrFormat(
        "Run %d is kept, with an elbo_lower of %.4f, the best of %d; its evidence is estimated "
        "anew, from fresh draws.",
        kept, best->evidence.elbo_lower, with_evidence));
    if (absl::Status s = EstimateAfresh(&*best); !s.ok()) return s;
  }
  return Finish(*std::move(best));
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
  return Restarts(target, applied, **method, pool, control).Run();
}

}  // namespace aisivi
