#include "engine/model/sampler.h"

namespace aisivi {

void SampleComponent(const Component& component, uint64_t seed, RngPurpose latent, RngPurpose noise,
                     uint32_t iteration, uint32_t shard, int64_t n, Scratch& scratch,
                     ComponentSample* sample) {
  Scratch::Frame frame(scratch);
  const Family& family = component.family;
  TileMap epsilon = TakeTile(scratch, family.latent_dim(), n);
  TileMap eta = TakeTile(scratch, family.dim(), n);
  TileMap x = TakeTile(scratch, family.dim(), n);
  family.SampleLatent({seed, latent, iteration, shard}, epsilon);
  FillNormal({seed, noise, iteration, shard}, eta.data(), eta.rows() * eta.outerStride());
  family.Sample(family.Evaluate(Const(epsilon), scratch), Const(eta), x);
  sample->epsilon = epsilon;
  sample->eta = eta;
  sample->x = x;
}

}  // namespace aisivi
