// From a requested fit to one that can run: every field is checked here, before a job exists.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "aisivi/v1/fit.pb.h"
#include "engine/fit/options.h"
#include "engine/targets/target.h"
#include "server/convert/target_sources.h"
#include "server/store/dataset_store.h"

namespace aisivi::server {

struct FitPlan {
  // The input fields of the request with defaults filled in, and the output-only fields that are
  // known before the fit runs. No name, no state.
  v1::Fit fit;
  FitOptions options;
  std::unique_ptr<const Target> target;
  // Of the data set that the target names: until the fit is there, which keeps it by itself.
  DatasetLease lease;
};

// INVALID_ARGUMENT with a violation for every "fit.FIELD" that is wrong by itself, or else for
// those that do not go together; NOT_FOUND when there is no such data set or density.
absl::StatusOr<FitPlan> PlanFit(const v1::Fit& request, const TargetSources& sources = {});

// The options of a fit that was planned before, from its effective_settings.
// FAILED_PRECONDITION where it has none.
absl::StatusOr<FitOptions> PlannedOptions(const v1::Fit& fit);

// Names the content of a request: equal for requests with the same input fields.
uint64_t RequestFingerprint(const v1::Fit& request);

// What clients may change of a fit: its display_name, labels and expire_time. OK or
// INVALID_ARGUMENT for each.
std::vector<absl::Status> CheckChangeable(const v1::Fit& fit);

// The fit without the vectors and matrices of its target, as answers have it.
v1::Fit WithoutArrays(const v1::Fit& fit);

}  // namespace aisivi::server
