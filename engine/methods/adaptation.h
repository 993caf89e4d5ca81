// How many inner samples and flow steps a step takes, from what the last steps saw.
//
// Every 50 steps:
//   k · chunks doubles while the noise of s_q is above half of the score residual, up to 8 times
//     what was asked for and 2e9 operations a step; and halves while it is below a tenth of it and
//     the effective share of the inner samples above 0.9, down to an eighth of that, at least 8.
//   One flow step is added while the effective share is below 0.5, up to 4 times what was asked
//   for,
//     and taken back above 0.8.
#pragma once

#include <cstdint>

namespace aisivi {

struct Adaptation {
  int64_t asked_inner_samples = 0, asked_flow_steps = 0;
  int64_t total_inner_samples = 0;  // k · chunks of the next step
  int64_t flow_steps = 0;           // of the next step
  // Since the last decision: steps, and sums of their effective shares and median residuals.
  int64_t steps = 0;
  double ess = 0, median_residual = 0;
};

// inner_samples: k · chunks.
Adaptation BeginAdaptation(int64_t inner_samples, int64_t flow_steps);

// Counts a step; true when a decision is due.
bool RecordStep(double ess, double median_residual, Adaptation* adaptation);

// Decides, and begins to count anew. score_noise: as the median residual, of s_q about its mean;
// step_flop: operations of the inner samples of a step as it is.
void Adapt(double score_noise, double step_flop, Adaptation* adaptation);

}  // namespace aisivi
