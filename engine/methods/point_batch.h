// The points of a training step: drawn from every component of the model, with what generated them.
#pragma once

#include <Eigen/Core>
#include <cstdint>
#include <vector>

#include "engine/methods/marginal.h"
#include "engine/model/model_state.h"
#include "engine/model/sampler.h"
#include "engine/parallel/scratch.h"

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

  Eigen::MatrixXd affine_work;  // D × points of a component
};

// Draws `each` points of every component: samples, z and origin. Streams kLatent and kNoise of
// (seed, iteration).
void SamplePoints(const ModelState& model, uint64_t seed, uint32_t iteration, int64_t each,
                  Scratch& scratch, PointBatch* batch);

}  // namespace aisivi
