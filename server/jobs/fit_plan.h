// From a requested fit to one that can run: every field is checked here, before a job exists.
#pragma once

#include <cstdint>
#include <memory>

#include "absl/status/statusor.h"
#include "aisivi/v1/fit.pb.h"
#include "engine/fit/options.h"
#include "engine/targets/target.h"
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

// INVALID_ARGUMENT at "fit.FIELD"; NOT_FOUND there when there is no such data set. `datasets` may
// be null where there are none.
absl::StatusOr<FitPlan> PlanFit(const v1::Fit& request, DatasetStore* datasets = nullptr);

// The options of a fit that was planned before, from its effective_hyperparameters.
absl::StatusOr<FitOptions> PlannedOptions(const v1::Fit& fit);

// Names the content of a request: equal for requests with the same input fields.
uint64_t RequestFingerprint(const v1::Fit& request);

// The BASIC view.
v1::Fit BasicView(const v1::Fit& fit);

}  // namespace aisivi::server
