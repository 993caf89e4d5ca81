// The points of a training step: drawn from every component of the model, with what generated them
// and the target there.
#pragma once

#include <Eigen/Core>
#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "engine/methods/marginal.h"
#include "engine/model/model_state.h"
#include "engine/model/sampler.h"
#include "engine/parallel/scratch.h"
#include "engine/parallel/thread_pool.h"
#include "engine/targets/target.h"

namespace aisivi {

// Points of each of `components` components in a step that is to have `points`: those over all of
// them; where there are several at least 32 each, beyond 16 of them 512 in all, and at least 8
// each.
int64_t PointsOfEach(int64_t points, int64_t components);

// Component after component; each has as many. Kept from step to step, so that a step allocates
// nothing.
struct PointBatch {
  std::vector<ComponentSample> samples;  // one per component, in its whitened coordinates
  Eigen::MatrixXd z;                     // D×m
  Origin origin;                         // of z
  Eigen::VectorXd log_p;                 // m: log p̃(z)
  Eigen::MatrixXd score_p;               // D×m: ∇ log p̃(z)

  struct Shard {
    absl::Status status;
    Eigen::VectorXd log_p;
    Eigen::MatrixXd score;
  };
  struct Work {
    Eigen::MatrixXd affine;  // D × points of a component
    std::vector<Shard> shards;
  } work;
};

// Draws `each` points of every component: samples, z and origin. Streams kLatent and kNoise of
// (seed, iteration).
void SamplePoints(const ModelState& model, uint64_t seed, uint32_t iteration, int64_t each,
                  Scratch& scratch, PointBatch* batch);

// log_p and score_p at z, in shards over the pool or, where the target wants it so, in one batch.
// The target's own error.
absl::Status EvaluateTarget(const Target& target, ThreadPool& pool, PointBatch* batch);

}  // namespace aisivi
