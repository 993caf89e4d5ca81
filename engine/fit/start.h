// Where a fit starts: the affine maps of its components, and untrained networks in them.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/fit/options.h"
#include "engine/model/model_state.h"
#include "engine/parallel/thread_pool.h"
#include "engine/targets/target.h"
#include "engine/warmstart/multistart.h"

namespace aisivi {

struct Start {
  ModelState state;
  std::string how;  // "a mixture of 3 Gaussians", …
};

struct Starts {
  std::vector<Start> starts;
  MultistartReport search;  // for the modes of the target
};

// The starts that options.warm_start names, untrained, the one of highest ELBO first: "auto" brings
// several where a lower one may still train to a better end (a Gaussian of best ELBO can sit in a
// corner of the target), the others one. With the linear skip and the linear base their estimates
// are exact (DESIGN.md §2). Modes are searched for unless warm_start is "none". What was found and
// why is appended to `log`.
absl::StatusOr<Starts> StartModels(const Target& target, const FitOptions& options,
                                   ThreadPool& pool, const std::atomic<bool>* cancel,
                                   std::vector<std::string>* log);

// The model of one component, the identity map and untrained networks: what a fit with these
// options has of each component.
ModelState UntrainedModel(const FitOptions& options, int64_t dim);

}  // namespace aisivi
