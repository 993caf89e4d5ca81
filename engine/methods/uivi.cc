#include "engine/methods/uivi.h"

#include <algorithm>
#include <limits>
#include <numeric>

namespace aisivi {
namespace {

constexpr int64_t kShard = 32;  // points; fixed, so that random numbers do not depend on threads

}  // namespace

double Uivi::RunShard(const StepInput& input, int64_t first, int64_t count, double step,
                      Scratch& scratch) {
  Scratch::Frame frame(scratch);
  const Family& family = input.model.components.front().family;
  const ComponentSample& sample = input.points.samples.front();
  TileMap x = TakeTile(scratch, family.dim(), count);
  TileMap epsilon = TakeTile(scratch, family.latent_dim(), count);
  x = sample.x.middleCols(first, count);
  epsilon = sample.epsilon.middleCols(first, count);
  LatentChain chain(family, Const(x), Const(epsilon), scratch);
  Eigen::Ref<Eigen::MatrixXd> score = marginal_.score.middleCols(first, count);
  const ChainOptions& o = options_.chain;
  const int64_t moves = o.burn_in + o.samples;
  double accepted = 0;
  for (int64_t s = 0; s < moves; ++s) {
    if (input.cancel != nullptr && input.cancel->load(std::memory_order_relaxed)) return 0;
    const auto part = static_cast<uint32_t>(first / kShard * moves + s);
    accepted += chain.Move({options_.seed, RngPurpose::kChainMomentum, input.iteration, part},
                           {options_.seed, RngPurpose::kChainAccept, input.iteration, part}, step,
                           o.leapfrogs);
    if (s < o.burn_in) continue;
    Scratch::Frame inner(scratch);
    const Conditional q = family.Evaluate(Const(chain.epsilon()), scratch);
    for (int64_t i = 0; i < count; ++i) {
      score.col(i) += (q.mean.col(i) - x.col(i))
                          .cwiseProduct(q.inv_sigma.col(q.shared_sigma ? 0 : i).cwiseAbs2())
                          .cast<double>();
    }
  }
  score /= static_cast<double>(o.samples);
  return accepted / static_cast<double>(moves);
}

double Uivi::RunChains(const StepInput& input, double step) {
  const int64_t m = input.points.z.cols(), shards = (m + kShard - 1) / kShard;
  marginal_.score.setZero(input.points.z.rows(), m);
  accepted_.assign(static_cast<size_t>(shards), 0);
  input.pool.ParallelFor(shards, [&](int64_t shard, int worker) {
    const int64_t first = shard * kShard;
    accepted_[static_cast<size_t>(shard)] =
        RunShard(input, first, std::min(kShard, m - first), step, input.workspace.worker(worker));
  });
  return std::accumulate(accepted_.begin(), accepted_.end(), 0.0) / static_cast<double>(m);
}

absl::Status Uivi::Gradients(const StepInput& input, ObjectiveState* state,
                             StepGradients* gradients) {
  if (input.model.components.size() != 1) {
    return absl::InvalidArgumentError("method: chains know the latents of one component only");
  }
  const int64_t m = input.points.z.cols();
  state->chain_step = NextChainStep(state->chain_step, RunChains(input, state->chain_step));
  const AffineMap& affine = input.model.components.front().affine;
  affine.scale.triangularView<Eigen::Lower>().transpose().solveInPlace(marginal_.score);
  marginal_.log_q.setZero(m);
  marginal_.ess.setOnes(m);
  if (absl::Status s = input.at_points.Await(); !s.ok()) return s;
  const TargetValues& target = input.at_points.values();
  MakePointGradients(input.model, marginal_, target.log_p, target.score_p, &state->typical_length,
                     &points_);
  constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();
  gradients->grad_x = points_.grad_x;
  gradients->grad_log_sigma.resize(0, 0);
  gradients->log_q.resize(0);
  gradients->finite = points_.finite;
  // The noise of so few states is most of the residual, which says little about the score then.
  gradients->loss = gradients->elbo = gradients->ess = gradients->score_residual = kUnknown;
  gradients->criterion = points_.score_residual;
  return absl::OkStatus();
}

}  // namespace aisivi
