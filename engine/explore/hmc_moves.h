// Hamiltonian Monte Carlo moves of many chains at once, each in the metric of a component.
//
// A move draws the chain's component k anew, k ~ r_k(z) = b_k(z)/(K b(z)), and then leaves
// π_β(z) r_k(z) invariant by L leapfrog steps in the coordinates y = A_k⁻¹ (z − m_k):
//   U_k(z) = β log p̃(z) + log b_k(z) − β log b(z)
//   p ← p + ε/2 A_kᵀ ∇U_k(z),   z ← z + ε A_k p,   p ← p + ε/2 A_kᵀ ∇U_k(z),   p ~ N(0, I)
// taken with probability min(1, exp(U_k(z') − U_k(z) − ½‖p'‖² + ½‖p‖²)). So the metric follows the
// chain from one scale to another, and the moves are exact all the same. Proposals that cannot be
// evaluated, or run away, are not taken.
//
// With L = 1 and every such proposal taken (`metropolis` false) a move is a step of preconditioned
// Langevin dynamics of size h = ε², for the first half kick and the drift are
//   z ← z + h/2 A_k A_kᵀ ∇U_k(z) + √h A_k p
// The label is drawn exactly and A_k does not depend on z, so no correction for a metric that
// varies is owed; but the step itself does not leave π_β r_k invariant. It has a law of its own,
// π_h, at a distance of O(h) from π. For a Gaussian of precision Λ, in the coordinates of the
// metric, the covariance of π_h is Λ⁻¹ (I − h Λ/4)⁻¹, so wider; from h λ_max = 4 on the chain runs
// away. Sources: Neal, MCMC using Hamiltonian dynamics, Handbook of MCMC 2011; a metric chosen by a
// label that is part of the state: Gibbs sampling. Langevin steps without a test: Welling & Teh,
// ICML 2011 (SGLD); their law: Durmus & Moulines, Annals of Applied Probability 2017 (arXiv
// 1507.05021).
#pragma once

#include <cstdint>

#include "absl/status/statusor.h"
#include "engine/explore/base.h"
#include "engine/explore/population.h"
#include "engine/warmstart/evaluate.h"

namespace aisivi {

struct HmcMove {
  double beta = 1;
  double step = 0.5;  // ε
  int leapfrogs = 3;  // L
  uint64_t seed = 0;
  uint32_t number = 0;     // of the move: the same seed and number are the same random numbers
  bool metropolis = true;  // false: proposals are taken wherever they can be evaluated
};

// Moves every particle of `chains` once; returns the mean probability with which the test takes
// proposals, whether or not it is made. L evaluations of each. Error: the target's own, or
// CANCELLED.
absl::StatusOr<double> MoveChains(Evaluator& evaluator, const AnnealingBase& base,
                                  const HmcMove& move, Population* chains);

// The step size of the next move after one with that acceptance: towards 0.8.
double AdaptedStep(double step, double acceptance);

}  // namespace aisivi
