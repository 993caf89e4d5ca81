// The verdict on a finished fit: whether its draws and its log evidence can be trusted.
//
// Several numbers are each held against two thresholds; the worst of them is the verdict. What they
// bound is the distance of q from the posterior p, and the error of log Ẑ. "sd" is a posterior
// standard deviation; TV the total variation distance, the largest error of any probability. The
// criteria, with the thresholds of GOOD and of USABLE:
//
//   gap ≤ 0.1, 0.5: log Ẑ − elbo_lower, nats, an estimate of KL(q‖p). TV ≤ √(KL/2) (Pinsker),
//     which is 0.22 and 0.5; spent on the mean of one Gaussian coordinate KL = δ²/2: 0.45 and 1 sd.
//   sandwich_width ≤ 0.05, 0.25: elbo_upper − elbo_lower, nats. Half of what the gap may be, so
//     that K cannot decide what the gap is judged to be.
//   log_z_standard_error ≤ 0.05, 0.25: nats, the relative error of Ẑ. Evidence is compared in units
//     of log 3 ≈ 1.1; at 0.25 the delta method behind the number itself is 3 % off (half the
//     relative variance).
//   ess_share ≥ 0.5, 0.1: ESS / draws = 1/(1 + relative variance of the weights). For log-normal
//     weights it is e^(−2 KL), 0.82 and 0.37 at the thresholds of the gap; some room for tails.
//   pareto_k ≤ 0.5, 0.7: k̂ of the weights' tail. Finite variance, and the limit of practical
//     convergence (Vehtari et al., arXiv 1507.02646); see below.
//   non_finite_share ≤ 0.001, 0.05: share of the draws where p̃/q is not a positive number. Where
//     p̃ = 0 it is a lower bound of TV.
//   score_residual ≤ 1, any: E‖∇ log q − ∇ log p̃‖²/D in the steps that led to the result, in
//     coordinates where the start has unit covariance: E‖∇ log q‖²/D is about 1 there, so this is a
//     relative squared error. It includes the noise of the score estimate, and belongs to several
//     states before the one that is the result: it can cast doubt, never condemn.
//   r_hat ≤ 1.01, 1.05: agreement of restarts (agreement.h), run means spread by 0.14 and 0.32 sd.
//     1.01 as Vehtari et al., arXiv 1903.08008, advise.
//   mode_search ≤ 0.01, 0.2: estimated share of the modes that the search for modes did not meet
//     (multistart.h). A search that did not end by itself, left modes unfitted or was never made is
//     USABLE at best, and its value then says no more.
//
// k̂ measures the shape of the tail whatever its weight, so it says nothing of harm where even the
// largest weights are small. With M draws and the largest weight w, in units of the mean, a tail of
// that shape above the mean still hides a share of about
//   u = (w − 1)/M · TailBeyond(k)                                             (see pareto.h)
// of Ẑ: 6 (w − 1)/M for k = 0.9, 10 (w − 1)/M for k = 1, 300 (w − 1)/M for k = 1.5. (A tail cannot
// go on with k ≥ 1 for ever, for the mean of the weights is Z, which is finite; and k̂ has an error
// of 0.1.) Where u ≤ 0.02, less than half of what log_z's error may be, and the ESS share is GOOD,
// so that k̂ describes a tail and not the body of the weights, k̂ passes as GOOD, whatever 0.5 and
// 0.7 say; where u ≤ 0.1, it passes as USABLE. Weights that are equal to rounding (share ≥ 1 −
// 1e-6: the log weights differ by 1e-3, as sums of singles do) have no tail.
//
// An estimate by annealing (EvidenceKind::kAnnealing) has no q: its draws are the target's own,
// from islands of particles that never meet. Of the above it is judged by log_z_standard_error,
// r_hat, here of the islands, and mode_search, and by
//   ess ≥ 400, 100: how many independent draws its draws are worth (reference.h). 400 is asked for
//     by Vehtari et al., arXiv 1903.08008; with 8 islands it is an R̂ of 1.01.
//   error_ratio ≤ 1, any: the standard error in units of the one that was asked for, 0 of which
//     leaves it out: a sampler that was cut short is USABLE at best. One that did not reach the
//     target has the standard error +∞ and is not to be trusted.
//   kernel_bias ≤ 0, 0.5: only of unadjusted moves (SGLD): the total variation distance of the law
//     they end in from the target, estimated from how often a Metropolis test would have refused
//     them (explore/annealing.h). The estimate is exact for Gaussians only, log Z has a bias of the
//     same order that no error here covers, and more draws lessen neither: USABLE at best, and to
//     0.5, the largest error of a probability that the gap is allowed for it.
//
// No number computed from draws of q sees a part of the posterior where q never draws: a missed
// mode leaves perfect weights. Only the search for modes can show it, and restarts when they end in
// different places. The sentence therefore tells what was looked at, and claims no more.
//
// Thread safety: pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/evidence/evidence.h"
#include "engine/warmstart/multistart.h"

namespace aisivi {

// Ordered: the larger the worse.
enum class Verdict { kGood, kUsable, kDoNotTrust };

struct Criterion {
  std::string name;  // as above
  double value;      // NaN when it should be known and is not
  double good;       // threshold for kGood
  double usable;     // threshold for kUsable; infinite when any value passes
  bool at_least;     // the value has to be at least the threshold, not at most
  Verdict verdict;
  std::string explanation;  // one line for people: what the number is
};

struct FitVerdict {
  Verdict verdict = Verdict::kDoNotTrust;  // the worst of the criteria
  std::vector<Criterion> criteria;         // in the order above; empty: nothing was estimated
  std::string sentence;                    // one sentence for people
};

struct VerdictInput {
  EvidenceEstimate evidence;
  double score_residual = kNotAvailable;  // TypicalScoreResidual(); NaN: unknown
  int64_t dimension = 1;                  // D
  double r_hat = kNotAvailable;           // NaN: there was one run
  MultistartReport search;                // for the modes of the target
};

// Criteria that are unknown by nature (score_residual of a fit whose result is its start, r_hat of
// one run) are left out; a part of `evidence` that is NaN is not to be trusted, nor is a sampler
// whose r_hat is.
FitVerdict JudgeFit(const VerdictInput& input);

// The rule for k̂ alone. Fewer than 25 draws (5 of them in the tail), or no k̂: kDoNotTrust, there is
// too little to tell from.
Verdict JudgeTail(const EvidenceEstimate& evidence);

}  // namespace aisivi
