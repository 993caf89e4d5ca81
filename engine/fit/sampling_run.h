// A run of a method that samples: draws of the target in the place of a trained model.
//
// Annealed sequential Monte Carlo (engine/explore/reference.h) from the components of the start, to
// the standard error FitOptions::reference_standard_error. The evidence is the sampler's own, and
// so is R̂, of its islands. FitOptions::reference_kernel says how particles move.
#pragma once

#include "absl/status/status.h"
#include "engine/explore/reference_options.h"
#include "engine/fit/fit.h"
#include "engine/fit/run_context.h"

namespace aisivi {

// What the options of a fit ask of the sampler, for a target of that dimension.
ReferenceOptions SamplerOptions(const FitOptions& options, int64_t dim);

// From run.starts.front(). Sets run.reason, and of `result` model, evidence, r_hat and message.
// Where a cancellation or the time limit came before the first round was done the model stays null.
// Goes on from run.sampler. Error: the target's own; FAILED_PRECONDITION when no log density near
// the start is finite.
absl::Status SampleTarget(RunContext& run, FitResult* result);

}  // namespace aisivi
