// Drawing points, with the latents that generated them, from a model.
#pragma once

#include <Eigen/Core>
#include <cstdint>

#include "engine/model/model_state.h"
#include "engine/parallel/workspace.h"

namespace aisivi {

// ε, η and x = h(ε, η) of one component, in its whitened coordinates.
struct ComponentSample {
  Eigen::MatrixXf epsilon;  // E×n
  Eigen::MatrixXf eta;      // D×n
  Eigen::MatrixXf x;        // D×n
};

// Streams (seed, latent), (seed, noise) of `iteration` and `shard` give ε and η.
void SampleComponent(const Component& component, uint64_t seed, RngPurpose latent, RngPurpose noise,
                     uint32_t iteration, uint32_t shard, int64_t n, Scratch& scratch,
                     ComponentSample* sample);

}  // namespace aisivi
