// Hamiltonian Monte Carlo moves of many chains at once, each in the metric of a component.
//
// A move draws the chain's component k anew, k ~ r_k(z) = b_k(z)/(K b(z)), and then leaves
// π_β(z) r_k(z) invariant by L leapfrog steps in the coordinates y = A_k⁻¹ (z − m_k):
//   U_k(z) = β log p̃(z) + log b_k(z) − β log b(z)
//   p ← p + ε/2 A_kᵀ ∇U_k(z),   z ← z + ε A_k p,   p ← p + ε/2 A_kᵀ ∇U_k(z),   p ~ N(0, I)
// taken with probability min(1, exp(U_k(z') − U_k(z) − ½‖p'‖² + ½‖p‖²)). So the metric follows the
// chain from one scale to another, and the moves are exact all the same. Proposals that cannot be
// evaluated, or run away, are not taken.
// Source: Neal, MCMC using Hamiltonian dynamics, Handbook of MCMC 2011; a metric chosen by a label
// that is part of the state: Gibbs sampling.
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
  uint32_t number = 0;  // of the move: the same seed and number are the same random numbers
};

// Moves every particle of `chains` once; returns the mean probability with which proposals are
// taken. L evaluations of each. Error: the target's own, or CANCELLED.
absl::StatusOr<double> MoveChains(Evaluator& evaluator, const AnnealingBase& base,
                                  const HmcMove& move, Population* chains);

// The step size of the next move after one with that acceptance: towards 0.8.
double AdaptedStep(double step, double acceptance);

}  // namespace aisivi
