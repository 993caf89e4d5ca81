// Regression by a neural network with one hidden layer.
//
//   f(x) = c + H^{−1/2} Σ_h v_h tanh(b_h + w_hᵀ x)
//   y_i ~ N(f(x_i), σ²),   log σ ~ N(0, 1),   every w, b, v and c ~ N(0, 1/α) independently
//   z = (w_1 … w_P with H units each, b_1 … b_H, v_1 … v_H, c, log σ),   D = H(P + 2) + 2
//
// log p̃ carries all constants. The factor H^{−1/2} gives the prior over functions a limit as H
// grows. The posterior is invariant under permuting hidden units and under (w, b, v)_h → −(w, b,
// v)_h, so it has up to H! 2^H equal modes. x: N×P and y: N, best standardised: the priors have
// unit scale. Source: R. M. Neal, Bayesian Learning for Neural Networks, 1996, chapter 2.
#pragma once

#include "engine/targets/builtin.h"

namespace aisivi {

BuiltinSpec BayesianNeuralNetworkSpec();

}  // namespace aisivi
