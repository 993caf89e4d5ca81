// log Z of a conditioned diffusion, exactly: its state is one number, so the forward filter is a
// chain of integrals over a line.
//
//   α_1(u) = N(u; 0, dt),   α_{i+1}(u) = ∫ N(u; v + dt f(v), dt) L_i(v) α_i(v) dv
//   Z = ∫ L_steps(u) α_steps(u) du,   L_i(u) = N(y_i; u, σ²) where step i is observed, else 1
//
// Integrals are sums over an equally spaced grid, whose error falls like exp(−2π² (width/spacing)²)
// for integrands as smooth as Gaussians (Trefethen & Weideman, SIAM Review 56, 2014); the spacing
// is at most half of the narrowest width that occurs, which leaves an error of about 1e-10 nats.
#pragma once

#include <Eigen/Core>
#include <optional>
#include <vector>

namespace aisivi {

// Symbols as in conditioned_diffusion.h.
struct DiffusionInstance {
  int steps = 100;
  double time = 1, beta = 10, noise = 0.1;
  Eigen::VectorXd observations;              // J
  std::vector<Eigen::Index> observed_steps;  // J, from 0, increasing

  double dt() const { return time / steps; }
};

// v + dt f(v), the mean of the state that follows v, for any finite v.
double NextMean(const DiffusionInstance& instance, double v);

// Nothing where a grid would be too long or could miss the mass: β < 0 (paths run away),
// β dt > 1, noise far below √T, or an observation that the model finds all but impossible.
std::optional<double> DiffusionLogEvidence(const DiffusionInstance& instance);

}  // namespace aisivi
