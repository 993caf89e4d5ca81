// Estimators of the marginal density and its score: what turns a semi-implicit family into
// something that can be trained.
//
//   q̂(x) = (1/K) Σ v_i,   s_q(x) = Σ v_i ∇_x log q(x|ε_i) / Σ v_i  ≈  ∇_x log q(x)
//
// with inner samples ε_i and weights v_i as each method defines them (DESIGN.md §1). Only q(x|ε_i)
// is differentiated in x. A new method is one file pair here and one line in methods.cc.
#pragma once

#include <Eigen/Core>
#include <atomic>
#include <cstdint>
#include <vector>

#include "engine/family/family.h"
#include "engine/methods/aggregate.h"
#include "engine/nn/tile.h"
#include "engine/parallel/rng.h"
#include "engine/parallel/thread_pool.h"
#include "engine/parallel/workspace.h"
#include "engine/proposal/proposal.h"

namespace aisivi {

struct InnerRequest {
  const Family* family = nullptr;
  const Proposal* proposal = nullptr;  // null: methods that need none
  const Eigen::MatrixXf* x = nullptr;  // D×m
  // The ε that generated each x, E×m; null: leave them out of the inner samples.
  const Eigen::MatrixXf* own_epsilon = nullptr;
  uint64_t seed = 0;
  RngPurpose purpose = RngPurpose::kInner;
  uint32_t iteration = 0;
  int64_t samples = 1;  // K, in all chunks
  bool want_score = true;
  // Once true, the pass ends early; its estimate is then not to be used. May be null.
  const std::atomic<bool>* cancel = nullptr;
  bool Cancelled() const { return cancel != nullptr && cancel->load(std::memory_order_relaxed); }
};

// One entry (column) per point.
struct InnerEstimate {
  Eigen::VectorXd log_density;  // m: log q̂(x)
  Eigen::MatrixXd score;        // D×m: s_q(x); untouched unless wanted
  Eigen::VectorXd ess;          // m: effective share of the inner samples, in (0, 1]

  // What the passes work in, kept from call to call so that nothing is allocated anew.
  ProposalContext context;
  std::vector<WeightSums> sums;
  std::vector<double> sum_storage;
  std::vector<double> noise_sums;
};

// Both passes draw the same numbers at any thread count; memory does not depend on K.

// AISIVI: ε_i ~ τ(·|x), v = p(ε) q(x|ε) / τ(ε|x). Tiles of inner samples go through proposal,
// family, weights and aggregation while they are in cache.
//
// With the linear base the score carries a control variate. At the exact start, where
// ε_i = a x + σ₀ u_i, every ∇_x log q(x|ε_i) = −x + (a/σ₀) u_i: all of its noise is that of the
// base samples u_i ~ N(0, I), whose mean is known to be zero. Hence
//   s_q(x) = Σ w̄_i ∇_x log q(x|ε_i) − (a/σ₀) (1/K) Σ u_i,
// which leaves the expectation as it is for any τ, and is exact for every K at the exact start.
void ProposalPass(const InnerRequest& request, ThreadPool& pool, Workspace& workspace,
                  InnerEstimate* estimate);

// BSIVI: ε_i ~ p(ε), shared by all points, v = q(x|ε). Distances are one matrix product per tile.
// Of a family of particles: every particle once, whatever request.samples and own_epsilon are, so
// that the estimate is exact.
void PriorPass(const InnerRequest& request, ThreadPool& pool, Workspace& workspace,
               InnerEstimate* estimate);

}  // namespace aisivi
