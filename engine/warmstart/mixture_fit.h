// A mixture of Gaussians as a start for targets with separated modes.
//
//   q(z) = Σ_k w_k N(z; b_k, A_k A_kᵀ)
//
// Modes come from many L-BFGS searches (multistart.h); modes with no valley between them share one
// component; weights, means and covariances are then fitted together by minimising KL(q‖p)
// (mixture_polish.h). Components that turn out negligible or overlap are pruned or merged. Where
// merging costs ELBO, every mode keeps a component of its own; where one Gaussian does as well, one
// Gaussian is returned.
#pragma once

#include <Eigen/Core>
#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/parallel/thread_pool.h"
#include "engine/targets/target.h"
#include "engine/warmstart/gaussian_fit.h"
#include "engine/warmstart/multistart.h"

namespace aisivi {

struct MixtureFit {
  Eigen::VectorXd weights;              // K ≥ 1, positive, sum 1, in falling order
  std::vector<GaussianFit> components;  // K; their elbo and elbo_se are those of the mixture
  double elbo = 0;                      // of the mixture, Monte Carlo, nats
  double elbo_se = 0;
  bool cut_short = false;   // cancelled after modes were met: not fitted to the end, elbo not known
  MultistartReport search;  // for the modes
};

// The mixture, or `single` as its only component where that does as well: with one mode, no usable
// mode, more than 500 dimensions, or an ELBO that several components do not raise by 0.02. Every
// decision worth telling is appended to `log` (may be null). Deterministic in `seed` at any thread
// count. Error: the target's own, or CANCELLED where no mode was met until then.
absl::StatusOr<MixtureFit> FitMixture(const Target& target, const GaussianFit& single,
                                      uint64_t seed, ThreadPool& pool,
                                      const std::atomic<bool>* cancel,
                                      std::vector<std::string>* log);

// The same beside the best of FitGaussianCandidates, whose errors it adds.
absl::StatusOr<MixtureFit> FitMixture(const Target& target, uint64_t seed, ThreadPool& pool,
                                      const std::atomic<bool>* cancel,
                                      std::vector<std::string>* log);

}  // namespace aisivi
