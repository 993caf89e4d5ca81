// When a run has to stop, and how its end is told.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "engine/fit/run_context.h"

namespace aisivi {

// Shares of the time limit by whose end the phases are over; the rest is for the evidence.
inline constexpr double kStartShare = 0.5, kDescentShare = 0.6, kTrainingShare = 0.8;
// A sampler's evidence is its own.
inline constexpr double kSamplingShare = 0.9;

// Whether training has to stop; sets run.reason where the caller or the clock says so.
bool MustStop(RunContext& run);

// Whether `error`, of the target, ends the run with its best state: it is UNAVAILABLE, and there is
// one. Sets run.reason then.
bool EndsWithBestState(RunContext& run, const absl::Status& error);

// One sentence for people.
std::string TerminationMessage(TerminationReason reason, const FitOptions& options);

}  // namespace aisivi
