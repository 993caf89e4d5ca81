// Hamiltonian Monte Carlo on the latents that can have generated given points:
//
//   ε ↦ log q(ε|x) = log p(ε) + log q(x|ε) + const
//
// One chain per point, all of a tile together. A chain that begins at the ε that generated its x
// begins in equilibrium, since (ε, x) is a draw of the joint; what it needs is to forget that ε
// (Titsias & Ruiz, AISTATS 2019). A uniform ε moves on the logit scale.
#pragma once

#include <cstdint>

#include "engine/family/family.h"
#include "engine/nn/tile.h"
#include "engine/parallel/rng.h"

namespace aisivi {

// Trajectories to forget where the chain began, states that count, and leapfrogs of each
// trajectory. Starting values of ours: no study chose them.
struct ChainOptions {
  int64_t burn_in = 5;
  int64_t samples = 5;
  int64_t leapfrogs = 5;
};

inline constexpr double kFirstChainStep = 0.25;

// The step of the next iteration, from the mean acceptance of this one: towards 0.8, which is near
// the best for HMC (Betancourt, Byrne & Girolami, arXiv 1411.6669). No longer than where five
// leapfrogs go once around a Gaussian of unit scale.
double NextChainStep(double step, double acceptance);

// The arrays live in the scratch, which must not be rewound before the chain ends.
class LatentChain {
 public:
  // x: D×n, its columns' first latents in epsilon: E×n. Not of a family with particles.
  LatentChain(const Family& family, const ConstTileMap& x, const ConstTileMap& epsilon,
              Scratch& scratch);

  // One trajectory of every chain: momentum, `leapfrogs` steps of 0.8 to 1.2 times `step` (one
  // length for all), accepted or not. The streams `momentum` and `accept` are used up. Returns the
  // sum of the acceptance probabilities.
  double Move(const RngStream& momentum, const RngStream& accept, double step, int64_t leapfrogs);

  const TileMap& epsilon() const { return here_.epsilon; }  // E×n

 private:
  struct Place {
    TileMap u;         // E×n: ε, or logit ε
    TileMap epsilon;   // E×n
    TileMap gradient;  // E×n: ∇_u log density of u
    double* log_density;
  };
  Place TakePlace(Scratch& scratch) const;
  // From u: everything else.
  void Evaluate(Place* place);

  const Family& family_;
  const ConstTileMap x_;
  Scratch& scratch_;
  TileMap momentum_;
  Place here_, there_;
};

}  // namespace aisivi
