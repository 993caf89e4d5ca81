// The score ∇_z log q(z) of a fitted model at given points.
//
//   ŝ(z) = Σ_i w̄_i ∇_z log q(z|ε_i),   w̄ = w / Σ w,   q̂(z) = (1/K) Σ_i w_i
//   from the proposal: ε_i ~ τ(·|z), w_i = p(ε_i) q(z|ε_i) / τ(ε_i|z)       what AISIVI does
//   from the prior:    ε_i ~ p(ε),   w_i = q(z|ε_i)                        what BSIVI does
//
// Only q(z|ε_i) is differentiated in z (DESIGN.md §1). Of a mixture each component has K inner
// samples of its own; where it is too far from a point to matter it has fewer (methods/marginal.h).
// A ratio of two sums: its bias is O(1/K), and it is far from that as long as the effective sample
// size is a handful. Exact whatever K is: from the proposal where the components are Gaussian, and
// where q is a mixture of particles.
#pragma once

#include <Eigen/Core>
#include <algorithm>
#include <atomic>
#include <cstdint>

#include "absl/status/statusor.h"
#include "engine/model/model.h"
#include "engine/parallel/thread_pool.h"

namespace aisivi {

enum class InnerSampleSource {
  kProposal,  // τ(ε|z); p(ε) where the model has no proposal
  kPrior      // p(ε), shared by the points of a block
};

struct ScoreRequest {
  uint64_t seed = 0;
  int64_t inner_samples = 1;  // K, 1 to 2^22
  InnerSampleSource source = InnerSampleSource::kProposal;
  // The points are a part of a longer list, beginning with its block number `first_block`: a list
  // cut into whole blocks gives the same numbers as the list at once.
  int64_t first_block = 0;
};

struct ScoreEstimate {
  Eigen::MatrixXd score;  // D×N: ŝ(z)
  Eigen::VectorXd log_q;  // N: log q̂(z), natural log
  // N, in (0, K]: effective sample size of the weights, (Σ w)² / Σ w²; of a mixture K / (1 + v),
  // where v / K is the relative variance of q̂. K where no inner samples were needed.
  Eigen::VectorXd ess;
};

// Points evaluated together; part of the meaning of a seed. About a megabyte of numbers at most.
constexpr int64_t ScoreBlock(int64_t dim) {
  return std::clamp<int64_t>((int64_t{1} << 17) / (dim + 2), 1, 256);
}

// z: D×N, N may be 0. Deterministic in (model, z, request), at any number of threads; memory does
// not depend on K. INVALID_ARGUMENT "points: …", "inner_samples: …" or "first_block: …";
// FAILED_PRECONDITION "model: …" for a set of draws; CANCELLED within 200 ms of `cancel`. Thread
// safety: any number of calls at once.
absl::StatusOr<ScoreEstimate> EvaluateScore(const Model& model,
                                            const Eigen::Ref<const Eigen::MatrixXd>& z,
                                            const ScoreRequest& request, ThreadPool& pool,
                                            const std::atomic<bool>* cancel = nullptr);

}  // namespace aisivi
