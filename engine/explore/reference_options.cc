#include "engine/explore/reference_options.h"

#include <algorithm>

namespace aisivi {
namespace {

constexpr int64_t kMaxNumbers = int64_t{1} << 24;  // coordinates of a population, or of draws

}  // namespace

ReferenceOptions SecondOpinionOptions(int64_t max_evaluations) {
  constexpr int64_t kLeast = 32, kMost = 512, kEvaluationsEach = 6;
  ReferenceOptions options;
  options.target_standard_error = 0;
  options.max_evaluations = max_evaluations;
  const int64_t particles = max_evaluations / (kEvaluationsEach * options.islands);
  options.particles = std::clamp(particles / options.states * options.states, kLeast, kMost);
  return options;
}

int64_t MostParticles(const ReferenceOptions& options, int64_t dim) {
  return kMaxNumbers / dim / options.islands / options.states * options.states;
}

int64_t MostDraws(int64_t dim) { return kMaxNumbers / dim; }

absl::Status CheckReferenceOptions(const ReferenceOptions& options, int64_t dim) {
  const auto must = [](const char* what) { return absl::InvalidArgumentError(what); };
  if (options.islands < 4 || options.islands > 64) return must("islands: must be 4 to 64");
  if (options.states < 2 || options.states > 1024) return must("states: must be 2 to 1,024");
  if (options.particles < 2 * options.states || options.particles > MostParticles(options, dim)) {
    return must("particles: must be at least two chains, and islands × particles × D at most 2^24");
  }
  if (!(options.ess_share > 0 && options.ess_share < 1)) {
    return must("ess_share: must be in (0, 1)");
  }
  if (!(options.leapfrog_length > 0 && options.leapfrog_length <= 100)) {
    return must("leapfrog_length: must be in (0, 100]");
  }
  if (!(options.langevin_step > 0 && options.langevin_step <= 1)) {
    return must("langevin_step: must be in (0, 1]");
  }
  if (options.draws < 1 || options.draws > MostDraws(dim)) {
    return must("draws: must be positive, and draws × D at most 2^24");
  }
  if (!(options.target_standard_error >= 0)) {
    return must("target_standard_error: must not be negative");
  }
  if (options.max_evaluations < options.islands * options.particles) {
    return must("max_evaluations: must be enough for the particles of all islands");
  }
  return absl::OkStatus();
}

}  // namespace aisivi
