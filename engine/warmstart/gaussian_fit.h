// A Gaussian approximation of the target, to start from: z = b + A x, x ~ N(0, I).
#pragma once

#include <Eigen/Core>
#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/parallel/thread_pool.h"
#include "engine/targets/target.h"

namespace aisivi {

struct GaussianFit {
  Eigen::VectorXd mean;   // b, D
  Eigen::MatrixXd scale;  // A, D×D lower triangular, positive diagonal; covariance A Aᵀ
  double elbo = 0;        // E_N[log p̃ − log N], Monte Carlo, nats
  double elbo_se = 0;
  std::string how;  // "batch-and-match from the mode", "identity", …
};

// Candidate starts, compared by their ELBO over common draws, best first; never empty: the last
// resort is N(0, I). Each begins somewhere and is then fitted by batch-and-match score matching
// (batch_and_match.h) and natural-gradient descent of KL(q‖p) (kl_polish.h), whichever of the two
// ends with the higher ELBO:
//   from the mode      the best of several L-BFGS searches and its curvature
//   from a wide start  N(0, 5² I), the target tempered from flat to itself
//   from N(0, I)       KL descent only
// Above 500 dimensions, or when none of these succeeds, the fit is diagonal, and diagonal plus low
// rank (low_rank_fit.h). Points that cannot be
// evaluated are stepped around: the ELBO is then that of q restricted to where p̃ is finite
// (evaluate.h). Every decision worth telling is appended to `log` (may be null) as a sentence.
// Deterministic in `seed` at any thread count.
// Error: FAILED_PRECONDITION when no finite log density was found anywhere; the target's own;
// CANCELLED.
absl::StatusOr<std::vector<GaussianFit>> FitGaussianCandidates(const Target& target, uint64_t seed,
                                                               ThreadPool& pool,
                                                               const std::atomic<bool>* cancel,
                                                               std::vector<std::string>* log);

}  // namespace aisivi
