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
  std::string how;        // "batch-and-match from the mode", "identity", …
};

// Candidate starts, compared by their ELBO, best first; never empty: the last resort is N(0, I).
// Each is: a mode found by L-BFGS from several points, then full-rank batch-and-match score
// matching (Cai et al., ICML 2024, arXiv 2402.14758); a moment-based fit of a wide start; N(0, I).
// Non-finite evaluations are stepped around. Every decision worth telling is appended to `log`.
// Deterministic in `seed` at any thread count. Error: only the target's own, or CANCELLED.
absl::StatusOr<std::vector<GaussianFit>> FitGaussianCandidates(const Target& target, uint64_t seed,
                                                               ThreadPool& pool,
                                                               const std::atomic<bool>* cancel,
                                                               std::vector<std::string>* log);

}  // namespace aisivi
