// Importance resampling: draws of q turned into draws that are closer to the posterior.
//
// A pool of P draws z_j of q is weighted by w_j ∝ p̃(z_j)/q̂₊(z_j), smoothed in the tail (pareto.h);
// N of them are then chosen by systematic resampling: with cumulated normalised weights W_j and one
// uniform u, draw i is the j with W_{j−1} ≤ (i + u)/N < W_j. Every z_j appears N w_j/Σw times in
// expectation, rounded up or down, so equal weights give distinct draws. Means over the result have
// the bias of self-normalised importance sampling, O(1/ESS), and a little noise of the choice.
// A draw can appear more than once: P = 4 N keeps that to weights above four times the mean.
//
// It is as good as the weights are: where k̂ of the pool is not trusted (JudgeTail() in verdict.h)
// the result must not be either, and draws cannot appear where q never goes.
//
// Smith & Gelfand, The American Statistician 1992 (sampling importance resampling); Kitagawa, JCGS
// 1996 (systematic); Vehtari et al., JMLR 2024, arXiv 1507.02646 (smoothing, k̂).
#pragma once

#include <Eigen/Core>
#include <atomic>
#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/evidence/evidence.h"
#include "engine/evidence/verdict.h"
#include "engine/model/model.h"
#include "engine/parallel/thread_pool.h"
#include "engine/targets/target.h"

namespace aisivi {

struct ResampledDraws {
  Eigen::MatrixXd z;                    // D×N, in the order of the pool
  Eigen::VectorXd log_p;                // N; log p̃(z)
  Eigen::VectorXd log_q;                // N; log q̂₊(z)
  int64_t pool = 0;                     // P
  double pareto_k = kNotAvailable;      // of the pool's weights, clamped to [−1, 10]
  double ess = kNotAvailable;           // of the pool's weights, in draws
  Verdict tail = Verdict::kDoNotTrust;  // JudgeTail() of them
};

// P for N draws: 4 N, at least 4096.
int64_t ResamplingPool(int64_t count);

// N = `count` draws out of the first ResamplingPool(count) of the sequence that `seed` names
// (Draw() in evidence.h), K = inner_samples. Deterministic in (model, target, seed, count,
// inner_samples). The result is made whatever `tail` says: refusing it is the caller's business.
//
// Errors: INVALID_ARGUMENT "count: …" (1 ≤ count, 4 N D ≤ 2^25) or "inner_samples: …" (1 to 2^22);
// FAILED_PRECONDITION "resample: …" when no draw has a positive weight; CANCELLED; the target's
// own.
absl::StatusOr<ResampledDraws> Resample(const Model& model, const Target& target, uint64_t seed,
                                        int64_t count, int64_t inner_samples, ThreadPool& pool,
                                        const std::atomic<bool>* cancel = nullptr);

// Indices of `count` draws by systematic resampling, ascending. log_weights: none NaN or +inf, at
// least one above −inf; u in [0, 1).
std::vector<int64_t> SystematicResample(const Eigen::VectorXd& log_weights, int64_t count,
                                        double u);

}  // namespace aisivi
