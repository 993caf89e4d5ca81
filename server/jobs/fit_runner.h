// Runs one stored fit to its end, whatever happens on the way.
#pragma once

#include <functional>

#include "absl/status/statusor.h"
#include "engine/fit/fit.h"
#include "server/convert/target_sources.h"
#include "server/store/record.pb.h"

namespace aisivi::server {

// RunFit(), or something else with its contract.
using FitFunction = std::function<absl::StatusOr<FitResult>(
    const Target& target, const FitOptions& options, ThreadPool& pool, const FitControl& control)>;

// Builds the target of `record`, runs the fit, and lays result and final state into `record`:
//   SUCCEEDED  it ended by itself with a posterior
//   CANCELLED  control.cancel was set
//   FAILED     anything else; Fit.error says what
// No exception leaves.
void RunStoredFit(const FitFunction& run_fit, ThreadPool& pool, const FitControl& control,
                  const TargetSources& sources, FitRecord* record);

// Lays the final state FAILED and its reason into `fit`.
void MarkFailed(const absl::Status& error, v1::Fit* fit);

}  // namespace aisivi::server
