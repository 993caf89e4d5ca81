// A mixture of Gaussians that minimises KL(q‖p), by natural-gradient ascent of the ELBO.
//
// For component k in its own coordinates (z = b_k + A_k x) and u = log p̃ − log q with q the whole
// mixture (Lin, Khan & Schmidt, ICML 2019, arXiv 1906.02914; Arenz et al., JMLR 2020):
//   m_k = E[A_kᵀ∇u],  H_k = sym E[A_kᵀ∇u xᵀ],  r_k = E[u]          (x ~ N(0, I))
//   Λ'_k = I − ρ H_k,  μ'_k = ρ Λ'_k⁻¹ m_k,  log w'_k = log w_k + ρ (r_k − Σ_j w_j r_j)
// When the target is such a mixture, u is constant at the solution and the averages are exact.
// Every accepted step raises Σ_k w_k r_k, the ELBO, over fixed draws with exact second moments.
#pragma once

#include <cstdint>

#include "absl/status/statusor.h"
#include "engine/warmstart/evaluate.h"
#include "engine/warmstart/gaussian_mixture_density.h"

namespace aisivi {

struct MixturePolishOptions {
  int64_t draws = 256;  // of each component; even, at least 4 D
  int max_iterations = 40;
  double tolerance = 1e-5;  // nats
};

struct PolishedMixture {
  AffineMixture mixture;
  double elbo;  // over the draws of the polish itself
  // The evaluator was cancelled on the way: the best mixture until then, the start at least; its
  // elbo may be -inf.
  bool cut_short = false;
};

// FAILED_PRECONDITION when the start cannot be evaluated or a component runs away or collapses;
// else the target's own error.
absl::StatusOr<PolishedMixture> PolishMixture(Evaluator& evaluator, const AffineMixture& start,
                                              uint64_t seed, const MixturePolishOptions& options);

// The ELBO of a mixture over `draws` fresh draws of each component.
absl::StatusOr<ElboEstimate> MixtureElbo(Evaluator& evaluator, const AffineMixture& mixture,
                                         uint64_t seed, int64_t draws);

}  // namespace aisivi
