// RunFit(): the one entry to fitting a semi-implicit posterior.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/evidence/evidence.h"
#include "engine/fit/options.h"
#include "engine/fit/progress.h"
#include "engine/model/model.h"
#include "engine/parallel/thread_pool.h"
#include "engine/targets/target.h"
#include "engine/warmstart/multistart.h"

namespace aisivi {

// How the caller follows and steers a fit.
struct FitControl {
  // Set to true (from any thread) to end the fit with kCancelled within 200 ms. May be null.
  const std::atomic<bool>* cancel = nullptr;
  // Called on the fit's own thread, at most every ~20 ms and at every change of phase. May be
  // empty. Must not block for long: the fit waits.
  std::function<void(const FitProgress&)> on_progress;
};

struct FitResult {
  TerminationReason reason = TerminationReason::kNone;
  std::string message;  // one sentence for people
  std::shared_ptr<const Model>
      model;  // null only when nothing usable was reached (cancelled early)
  // Of `model`; NaN fields when cancelled before it was made, and with kTargetLost, but for a
  // sampler that has made draws. The best of several runs has it from fresh draws: the estimate
  // that made it the best is a lucky one.
  EvidenceEstimate evidence;
  FitProgress last;                  // the last report of the run that `model` is of
  std::vector<FitProgress> history;  // a thinned record of that run, at most ~1000 entries
  std::vector<std::string> log;  // decisions worth telling: the start chosen, skipped steps, …
  // Agreement of the runs that FitOptions::restarts asks for (engine/evidence/agreement.h), or of
  // the islands of a sampler; NaN with one run that trains.
  double r_hat = kNotAvailable;
  // elbo_lower of each run, as it ended, in order; empty with one run.
  std::vector<double> restart_elbo;
  MultistartReport search;  // for the modes of the target, of the kept run
};

// Runs a fit to its end on `pool`, from the calling thread.
//
// Errors: INVALID_ARGUMENT "FIELD: …" for options that do not fit the target (nothing has run);
// the target's own error when it cannot be evaluated, but for UNAVAILABLE once there is a model, be
// it the start: that ends the fit with kTargetLost; FAILED_PRECONDITION when no finite log
// density was found anywhere. Non-finite numbers on the way are skipped and counted, never errors.
//
// Determinism: the result depends on target and options (seed included) only, bit for bit, whatever
// the number of threads of `pool`, unless a time limit or a cancellation cut it short.
// Thread safety: any number of fits may run at once on one pool.
absl::StatusOr<FitResult> RunFit(const Target& target, const FitOptions& options, ThreadPool& pool,
                                 const FitControl& control = {});

}  // namespace aisivi
