// A diffusion path conditioned on noisy observations of some of its steps.
//
//   u_0 = 0,   u_i | u_{i−1} ~ N(u_{i−1} + dt f(u_{i−1}), dt),   f(u) = β (u − u³)/(1 + u²)
//   y_j | u ~ N(u_{k_j}, σ²),   dt = T/steps,   z = (u_1 … u_steps)
//   log p̃(z) = −Σ_i r_i²/(2dt) − Σ_j (y_j − u_{k_j})²/(2σ²) + constants,
//   r_i = u_i − u_{i−1} − dt f(u_{i−1})
//   score_i  = −r_i/dt + (r_{i+1}/dt)(1 + dt f'(u_i)) + Σ_{j: k_j = i} (y_j − u_i)/σ²
//
// With w = 1/(1 + u²): f = β u (2w − 1), f' = β (4w² − 2w − 1), which never overflow.
// The defaults are the paper's instance: 100 steps, T = 1, β = 10, σ = 0.1, 20 observations.
// Source: Cheng et al., Kernel Semi-Implicit Variational Inference, ICML 2024 (arXiv 2405.18997),
// used again in arXiv 2506.03839.
#pragma once

#include "engine/targets/builtin.h"

namespace aisivi {

BuiltinSpec ConditionedDiffusionSpec();

}  // namespace aisivi
