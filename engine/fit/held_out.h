// Compares the states of a fit on held-out draws: the same random numbers for all of them, so that
// their difference has little noise.
#pragma once

#include <Eigen/Core>
#include <atomic>

#include "absl/status/statusor.h"
#include "engine/fit/options.h"
#include "engine/methods/elbo.h"
#include "engine/model/model_state.h"
#include "engine/parallel/thread_pool.h"
#include "engine/targets/target.h"

namespace aisivi {

struct HeldOut {
  double elbo = 0;             // lower bound, nats; −inf when most draws were not finite
  double gap = 0;              // log Ẑ − ELBO, an estimate of KL(q‖p), nats; NaN when unknown
  bool at_ceiling = false;     // the gap is closed, and the weights say that this can be trusted
  Eigen::VectorXd log_weight;  // log p̃ − log q̂₊ of each draw
  DrawGroups groups;           // which draws share inner samples
};

// The standard error of a.elbo − b.elbo, two states' on the same random numbers: that of the mean
// of the differences of their log weights draw by draw, over the draws where both are finite. 0
// with fewer than two of them.
double StandardErrorOfDifference(const HeldOut& a, const HeldOut& b);

// What one look draws.
struct HeldOutSize {
  int64_t draws, inner_samples;
};
// A matter of the training and never of the final evidence, whose size is the user's: as many inner
// samples in all as the steps between two looks have, in 512 to 4096 draws. Inner samples of a
// draw: 128 from a proposal, in a very short fit as few as 32; from p(ε) as many as a step has,
// from 512 to 4096.
HeldOutSize SizeOfHeldOut(const FitOptions& options, bool has_proposal);

// CANCELLED, or the target's own error. The ELBO of a state whose parameters are not all finite is
// −inf.
absl::StatusOr<HeldOut> EvaluateHeldOut(const ModelState& state, const Target& target,
                                        const FitOptions& options, ThreadPool& pool,
                                        const std::atomic<bool>* cancel);

}  // namespace aisivi
