// The path gradient of KL(q‖p) over an estimator of the score of q: the objective of the score
// methods.
//
//   d loss / d x = Aᵀ (s_q(z) − ∇_z log p̃(z)) / m
//
// s_q is constant for the way back, which therefore sees the m points only (DESIGN.md §1). With
// options.adaptive the numbers of inner samples and of flow steps follow the noise of s_q and the
// effective share of the inner samples (adaptation.h).
#pragma once

#include "engine/methods/marginal.h"
#include "engine/methods/objective.h"

namespace aisivi {

class PathGradient final : public Objective {
 public:
  // uses_own_epsilon: hand the points' own ε to `estimate` as inner samples.
  PathGradient(EstimateFunction estimate, bool uses_own_epsilon, const ObjectiveOptions& options);

  absl::Status Gradients(const StepInput& input, ObjectiveState* state,
                         StepGradients* gradients) override;
  void AfterStep(const StepInput& input, ObjectiveState* state) override;

 private:
  MarginalRequest Request(const StepInput& input, uint32_t iteration, int64_t samples) const;
  // The noise of s_q comes from a second set of inner samples at the same points.
  void AdaptToNoise(const StepInput& input, Adaptation* adaptation);

  const EstimateFunction estimate_;
  const bool uses_own_epsilon_;
  const ObjectiveOptions options_;
  // Kept from step to step, so that a step allocates nothing.
  MarginalEstimate marginal_, second_marginal_;
  PointGradients points_;
};

}  // namespace aisivi
