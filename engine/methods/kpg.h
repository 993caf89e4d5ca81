// KPG: the path gradient smoothed by a kernel (Pielok, Bischl, Rügamer, arXiv 2506.05088).
//
//   d loss / d x_i = −(1/m) Σ_j k(x_i, x_j) f_j / m,   f of stein_points.h
//
// an estimate of E_{x'}[k(x, x') (∇ log q(x') − Aᵀ ∇ log p̃(z'))]: in it the score of the
// conditional stands for that of the marginal, whose expectation it is. The same as amortised Stein
// variational gradient descent in expectation, with less noise. Reported as loss: the kernel Stein
// discrepancy 1/m² Σ_ij k_ij f_iᵀ f_j. No inner samples, no proposal.
#pragma once

#include "engine/methods/objective.h"
#include "engine/methods/stein_points.h"

namespace aisivi {

class Kpg final : public Objective {
 public:
  explicit Kpg(const ObjectiveOptions& options) : options_(options) {}

  // INVALID_ARGUMENT for a model of several components.
  absl::Status Gradients(const StepInput& input, ObjectiveState* state,
                         StepGradients* gradients) override;

 private:
  const ObjectiveOptions options_;
  SteinPoints points_;
  KernelMatrix kernel_;
  Eigen::MatrixXd smoothed_;  // D×n
};

}  // namespace aisivi
