// One run of a fit, from one seed: start, choice among starts, training, evidence; or
// start and sampling.
#pragma once

#include <atomic>

#include "absl/status/statusor.h"
#include "engine/fit/checkpointer.h"
#include "engine/fit/fit.h"
#include "engine/fit/options.h"
#include "engine/fit/reporter.h"
#include "engine/fit/run_state.h"
#include "engine/methods/methods.h"
#include "engine/parallel/thread_pool.h"
#include "engine/targets/target.h"

namespace aisivi {

// RunFit() for options that are valid and restarts = 1, without the last report: `last`, `history`
// and the agreement of runs are left as they are. Goes on from `state`, as one that began would.
absl::StatusOr<FitResult> FitFromOneSeed(const Target& target, const FitOptions& options,
                                         const MethodEntry& method, ThreadPool& pool,
                                         const std::atomic<bool>* cancel, Reporter& reporter,
                                         Checkpointer& checkpoints, RunState state);

}  // namespace aisivi
