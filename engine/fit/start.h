// Where a fit starts: the affine maps of its components, and untrained networks in them.
#pragma once

#include <atomic>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/fit/options.h"
#include "engine/model/model_state.h"
#include "engine/parallel/thread_pool.h"
#include "engine/targets/target.h"

namespace aisivi {

// Chooses the start that options.warm_start names and builds the untrained model there. With the
// linear skip and the linear base its estimates are exact (DESIGN.md §2). What was chosen and why
// is appended to `log`.
absl::StatusOr<ModelState> StartModel(const Target& target, const FitOptions& options,
                                      ThreadPool& pool, const std::atomic<bool>* cancel,
                                      std::vector<std::string>* log);

}  // namespace aisivi
