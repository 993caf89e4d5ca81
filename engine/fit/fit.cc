#include "engine/fit/fit.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/evidence/agreement.h"
#include "engine/fit/reporter.h"
#include "engine/fit/run.h"
#include "engine/methods/methods.h"
#include "engine/parallel/rng.h"

namespace aisivi {
namespace {

constexpr int64_t kAgreementDraws = 4096;

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

  const Target& target_;
  const FitOptions& options_;
  const MethodEntry& method_;
  ThreadPool& pool_;
  const FitControl& control_;
  Reporter reporter_;
  std::vector<Eigen::MatrixXd> draws_;
};

FitOptions Restarts::OptionsOf(int64_t run) const {
  FitOptions options = options_;
  // The first run is the fit that one run would be.
  if (run > 0) {
    options.seed = SubSeed(options_.seed, RngPurpose::kRunSeed, static_cast<uint64_t>(run));
  }
  if (options.time_limit > 0) {
    const double left = options_.time_limit - reporter_.Seconds();
    options.time_limit = std::max(0.05, left / static_cast<double>(options_.restarts - run));
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

absl::StatusOr<FitResult> Restarts::Run() {
  std::optional<FitResult> best;
  std::vector<double> elbo;
  std::vector<std::string> log;
  for (int64_t run = 0; run < options_.restarts; ++run) {
    const FitOptions options = OptionsOf(run);
    absl::StatusOr<FitResult> result =
        RunOnce(target_, options, method_, pool_, control_.cancel, reporter_);
    if (!result.ok()) return result.status();
    for (std::string& line : result->log) {
      log.push_back(options_.restarts == 1 ? std::move(line)
                                           : absl::StrCat("Run ", run + 1, ": ", line));
    }
    const bool cancelled = result->reason == TerminationReason::kCancelled;
    if (!cancelled && options_.restarts > 1 && result->model != nullptr) {
      elbo.push_back(result->evidence.elbo_lower);
      if (absl::Status s = AddDraws(*result->model); !s.ok()) return s;
    }
    if (!best.has_value() ||
        (!cancelled && !(result->evidence.elbo_lower <= best->evidence.elbo_lower))) {
      best = *std::move(result);
    }
    if (!cancelled) continue;
    best->reason = TerminationReason::kCancelled;
    best->message = "The fit was cancelled.";
    break;
  }
  best->r_hat = RHat(draws_);
  best->restart_elbo = std::move(elbo);
  best->log = std::move(log);
  reporter_.current().log_z = best->evidence.log_z;
  if (std::isfinite(best->evidence.elbo_lower)) {
    reporter_.current().elbo = best->evidence.elbo_lower;
  }
  reporter_.Phase(FitPhase::kDone, 0);
  best->last = reporter_.current();
  best->history = reporter_.TakeHistory();
  return *std::move(best);
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
