#include "engine/methods/point_batch.h"

#include <algorithm>

namespace aisivi {
namespace {

constexpr int64_t kShardPoints = 32;   // per task of a target evaluation
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
    component.affine.Apply(sample.x, &batch->work.affine, batch->z.middleCols(c * each, each));
    batch->origin.epsilon.middleCols(c * each, each) = sample.epsilon;
    std::fill_n(batch->origin.component.begin() + c * each, each, static_cast<int>(c));
  }
}

absl::Status EvaluateTarget(const Target& target, ThreadPool& pool, PointBatch* batch) {
  const Eigen::MatrixXd& z = batch->z;
  const int64_t n = z.cols();
  const int64_t each = std::min(target.PointsPerCall(kShardPoints), std::max<int64_t>(1, n));
  const int64_t shards = (n + each - 1) / each;
  batch->log_p.resize(n);
  batch->score_p.resize(z.rows(), n);
  batch->work.shards.resize(shards);
  pool.ParallelFor(shards, [&](int64_t s, int) {
    const int64_t first = s * each, count = std::min(each, n - first);
    PointBatch::Shard& shard = batch->work.shards[s];
    shard.status = target.Evaluate(z.middleCols(first, count), &shard.log_p, &shard.score);
    if (!shard.status.ok()) return;
    batch->log_p.segment(first, count) = shard.log_p;
    batch->score_p.middleCols(first, count) = shard.score;
  });
  for (const PointBatch::Shard& shard : batch->work.shards) {
    if (!shard.status.ok()) return shard.status;
  }
  return absl::OkStatus();
}

}  // namespace aisivi
