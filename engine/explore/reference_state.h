// What a run of the reference sampler (reference.h) carries from round to round, as plain data.
#pragma once

#include <Eigen/Core>
#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "engine/explore/annealing.h"
#include "engine/explore/base.h"
#include "engine/explore/draw_pool.h"
#include "engine/explore/island_evidence.h"
#include "engine/explore/pilot.h"
#include "engine/explore/reference_options.h"

namespace aisivi {

// Σ_r N_r Ẑ_{r,i} of every island, as logs, and Σ_r N_r.
struct RoundSums {
  Eigen::VectorXd sequential, multistate;  // I
  double tail = 0;                         // Σ_r N_r u_r, u what the tails of weights may hold
  double particles = 0;
};

// What the rounds so far have come to.
struct Rounds {
  AnnealingBase base;
  RoundSums sums;
  IslandEvidence evidence;  // of the sums
  DrawPool pool;
  double unsettled = 0;         // nats that the base lacks, 0 when `better` is hardly better
  AnnealingBase better;         // the base fitted to the draws of the last round
  bool stale = false;           // sums and pool are from a base that has since changed
  bool reached = true;          // the target, in the first round
  bool exhausted = false;       // a later round did not reach it
  double evaluations_each = 0;  // per particle, in the last round
  int64_t done = 0;
  std::vector<AnnealingLevel> levels;  // of the last round that counts
};

struct ReferenceState {
  int64_t evaluations = 0;  // of the target, when this was a safe point
  PilotState pilot;
  Rounds rounds;
  int64_t particles = 0;     // of an island in the round that runs; 0: the first has not begun
  int64_t before = 0;        // evaluations when it began
  AnnealingState annealing;  // of it
};

// Whether a run with these options, on a target of that dimension, can go on from `state`: whether
// its arrays fit together. INVALID_ARGUMENT "state: …".
absl::Status CheckReferenceState(const ReferenceState& state, const ReferenceOptions& options,
                                 int64_t dim);

}  // namespace aisivi
