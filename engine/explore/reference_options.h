// How much a reference run (reference.h) is to do.
#pragma once

#include <cstdint>

#include "absl/status/status.h"
#include "engine/explore/annealing.h"

namespace aisivi {

struct ReferenceOptions {
  int64_t islands = 8;           // 4 to 64
  int64_t particles = 512;       // of an island, in the first round, if they can be paid
  int64_t states = 8;            // of a chain; 2 to 1,024, at most half of `particles`
  double ess_share = 0.5;        // of the particles, for the next temperature; in (0, 1)
  double leapfrog_length = 1.5;  // in whitened units
  AnnealingKernel kernel = AnnealingKernel::kHmc;
  double langevin_step = 0.1;           // h of kSgld, in whitened units squared; in (0, 1]
  bool pilot = true;                    // fit the base to draws of short annealings first
  int64_t draws = 4096;                 // wanted
  double target_standard_error = 0.05;  // of log Z; 0: one round only
  int64_t max_evaluations = 2'000'000;  // of the target, about
};

// A second opinion on a fit, 6,000 to 24,000 evaluations: one round with as many particles as can
// be paid.
ReferenceOptions SecondOpinionOptions(int64_t max_evaluations);

// The largest number of particles of an island, a multiple of `states`, that memory is for.
int64_t MostParticles(const ReferenceOptions& options, int64_t dim);

// The most draws of a target of that dimension that memory is for.
int64_t MostDraws(int64_t dim);

// INVALID_ARGUMENT "OPTION: …" for a target of that dimension.
absl::Status CheckReferenceOptions(const ReferenceOptions& options, int64_t dim);

}  // namespace aisivi
