// What a running fit reports, and how it ends.
#pragma once

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "engine/evidence/not_available.h"

namespace aisivi {

enum class FitPhase { kWarmStart, kFlowPretraining, kTraining, kSampling, kEvidence, kDone };

// Why a fit ended. Every fit that started ends with one of these.
enum class TerminationReason {
  kNone,  // still running
  // log Ẑ − ELBO is closed, or held-out ELBO and score residual have settled; of a sampler: the
  // standard error is that asked for
  kConverged,
  kIterationLimit,  // all iterations done, or evaluations used
  kTimeLimit,       // FitOptions::time_limit reached; best state kept
  kCancelled,       // asked to stop
  kNumericalError,  // too many non-finite steps; best state kept
  // UNAVAILABLE came from the target: nobody evaluates it any more; best state kept, whose evidence
  // is not estimated
  kTargetLost,
};

// One report. NaN: not known (yet).
struct FitProgress {
  FitPhase phase = FitPhase::kWarmStart;
  int64_t iteration = 0;         // of the phase; while sampling, evaluations of the target
  int64_t total_iterations = 0;  // of the phase
  double seconds = 0;            // since the fit started
  double loss = kNotAvailable;   // nats; mean of log q̂(z) − log p̃(z) over the step's points
  double flow_loss = kNotAvailable;     // nats; mean of −log τ_θ(ε|z)
  double proposal_ess = kNotAvailable;  // (0, 1]; mean effective share of the inner samples
  double score_residual = kNotAvailable;  // E‖∇ log q − ∇ log p̃‖², in whitened coordinates
  double elbo = kNotAvailable;            // nats; running_elbo.h
  double log_z = kNotAvailable;           // nats; once known
  int64_t skipped_steps = 0;              // steps left out because they were not finite
  // In the record of a run that has ended: the report is of the training that led to the state that
  // is the result, and of a step before it. Never so where the start is the result.
  bool of_result = false;
};

// E‖∇ log q − ∇ log p̃‖² (all dimensions) of the result: the median over the last tenth of the
// reports that led to it and have one, at least 20 of them where there are so many. Single steps
// can be far off, by a few points where p̃ is narrow. NaN when no training led to it.
double TypicalScoreResidual(const std::vector<FitProgress>& history);

}  // namespace aisivi
