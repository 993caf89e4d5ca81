#include "engine/nn/adam.h"

#include <algorithm>
#include <cmath>

namespace aisivi {

namespace {
constexpr int64_t kShard = 1 << 17;  // parameters per task: beyond this the update is worth sharing
}

Adam::Adam(int64_t parameters, double beta1, double beta2)
    : state_{beta1, beta2, 0, Eigen::VectorXf::Zero(parameters),
             Eigen::VectorXf::Zero(parameters)} {}

bool Adam::CanStep(const Eigen::VectorXf& gradient) {
  return std::isfinite(gradient.squaredNorm());
}

void Adam::Step(double learning_rate, const Eigen::VectorXf& gradient, Eigen::VectorXf* parameters,
                ThreadPool& pool) {
  ++state_.steps;
  const double t = static_cast<double>(state_.steps);
  const float rate = static_cast<float>(learning_rate / (1.0 - std::pow(state_.beta1, t)));
  const float unbias = static_cast<float>(1.0 / (1.0 - std::pow(state_.beta2, t)));
  const float b1 = static_cast<float>(state_.beta1), b2 = static_cast<float>(state_.beta2);
  const auto update = [&](int64_t first, int64_t count) {
    const auto g = gradient.segment(first, count).array();
    auto m = state_.m.segment(first, count).array();
    auto v = state_.v.segment(first, count).array();
    m = b1 * m + (1.0f - b1) * g;
    v = b2 * v + (1.0f - b2) * g.square();
    parameters->segment(first, count).array() -= rate * m / ((v * unbias).sqrt() + 1e-8f);
  };
  const int64_t n = gradient.size();
  if (n <= 2 * kShard) return update(0, n);
  pool.ParallelFor((n + kShard - 1) / kShard, [&](int64_t shard, int) {
    update(shard * kShard, std::min(kShard, n - shard * kShard));
  });
}

}  // namespace aisivi
