// Fits that go on from the checkpoint that the store has of them.
#pragma once

#include <string>

#include "server/jobs/fit_runner.h"
#include "server/store/fit_store.h"

namespace aisivi::server {

// `run_fit` for the fit `id`: from its checkpoint, or from the beginning where there is none. One
// that cannot be read or is refused is removed; the fit then begins anew, and its log says so.
// `store` outlives the function, which is called once at a time.
FitFunction ResumingFit(FitFunction run_fit, FitStore* store, std::string id);

// Logs an error.
void RemoveCheckpointOf(FitStore* store, const std::string& id);

}  // namespace aisivi::server
