// RunFit(): the one entry to fitting a semi-implicit posterior.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
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

  // Called on the fit's own thread with a checkpoint (checkpoint.h): bytes that `resume_from` goes
  // on from, in this process or another of the same numeric fingerprint. When 30 s have passed
  // since the last one and 100 times as long as that took, this call included: at most 1 % of the
  // fit. May be empty. The fit waits.
  std::function<void(std::string checkpoint)> on_checkpoint;
  // For tests: a checkpoint at every so many-th point where there can be one, whatever the time. 0:
  // as above.
  int64_t checkpoint_every = 0;
  // Set to true (from any thread) to have a checkpoint at every point where there can be one,
  // whatever the time: for who is about to end the fit. May be null.
  const std::atomic<bool>* checkpoint_now = nullptr;
  // A checkpoint of this fit, which goes on from there and ends with what it would have ended with.
  // Empty: the fit begins. Must outlive the call.
  std::string_view resume_from;
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
// Of a checkpoint (nothing has run): DATA_LOSS "checkpoint: …" when it is damaged or cut short;
// FAILED_PRECONDITION "checkpoint: …" when it is of another format, of another numeric fingerprint
// (fingerprint.h) or of another fit: target or options differ.
//
// Determinism: the result depends on target and options (seed included) only, bit for bit, whatever
// the number of threads of `pool` and of interruptions, unless a time limit or a cancellation cut
// it short. (Seconds in reports are what they were. Those that a time limit allows are counted from
// the beginning, without the time between an interruption and what goes on from it.)
//
// Thread safety: any number of fits may run at once on one pool.
absl::StatusOr<FitResult> RunFit(const Target& target, const FitOptions& options, ThreadPool& pool,
                                 const FitControl& control = {});

}  // namespace aisivi
