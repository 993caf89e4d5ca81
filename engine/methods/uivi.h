// UIVI (Titsias & Ruiz, AISTATS 2019): the path gradient with a score from chains of latents.
//
//   s_q(x) = (1/S) Σ_s ∇_x log q(x|ε_s),   ε_s from Hamiltonian chains given x (latent_chain.h)
//
// begun at the ε that generated x. That ε has to be forgotten before a state counts, since ∂h/∂φ
// depends on it; then the gradient is unbiased, without weights and without a proposal. log q is
// not known on the way. The step of the leapfrogs is part of the objective's state.
#pragma once

#include <vector>

#include "engine/methods/objective.h"

namespace aisivi {

class Uivi final : public Objective {
 public:
  explicit Uivi(const ObjectiveOptions& options) : options_(options) {}

  // INVALID_ARGUMENT for a model of several components.
  absl::Status Gradients(const StepInput& input, ObjectiveState* state,
                         StepGradients* gradients) override;

 private:
  // marginal_.score ← s_q in whitened coordinates. Returns the mean acceptance.
  double RunChains(const StepInput& input, double step);
  double RunShard(const StepInput& input, int64_t first, int64_t count, double step,
                  Scratch& scratch);

  const ObjectiveOptions options_;
  MarginalEstimate marginal_;
  PointGradients points_;
  std::vector<double> accepted_;  // of each shard
};

}  // namespace aisivi
