#include "engine/methods/point_batch.h"

#include <algorithm>

namespace aisivi {
namespace {

constexpr int64_t kFewestPoints = 32;  // of each of up to 16 components
constexpr int64_t kManyPoints = 512;   // of more of them together, …
constexpr int64_t kLeastPoints = 8;    // … but each so many

}  // namespace

int64_t PointsOfEach(int64_t points, int64_t components) {
  if (components == 1) return points;
  const int64_t fewest = std::clamp(kManyPoints / components, kLeastPoints, kFewestPoints);
  return std::max(fewest, (points + components - 1) / components);
}

void SamplePoints(const ModelState& model, uint64_t seed, uint32_t iteration, int64_t each,
                  Scratch& scratch, PointBatch* batch) {
  const int64_t components = static_cast<int64_t>(model.components.size());
  const int64_t total = components * each;
  batch->samples.resize(components);
  batch->z.resize(model.dim(), total);
  batch->origin.component.resize(total);
  batch->origin.epsilon.resize(model.components.front().family.latent_dim(), total);
  for (int64_t c = 0; c < components; ++c) {
    const Component& component = model.components[c];
    ComponentSample& sample = batch->samples[c];
    SampleComponent(component, seed, RngPurpose::kLatent, RngPurpose::kNoise, iteration,
                    static_cast<uint32_t>(c), each, scratch, &sample);
    component.affine.Apply(sample.x, &batch->affine_work, batch->z.middleCols(c * each, each));
    batch->origin.epsilon.middleCols(c * each, each) = sample.epsilon;
    std::fill_n(batch->origin.component.begin() + c * each, each, static_cast<int>(c));
  }
}

}  // namespace aisivi
