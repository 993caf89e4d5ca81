// KPG-IS: the path gradient smoothed by a kernel, the points to smooth over drawn where the kernel
// is (Pielok, Bischl, Rügamer, AISTATS 2026, arXiv 2506.05088).
//
//   d loss / d x_j = (1/m) (1/K) Σ_i w_ij k(x_j, x'_ij) f_ij
//   f_ij = ∇_x' log q(x'_ij|ε_ij) − Aᵀ ∇ log p̃(z'_ij)
//   x'_ij = h_φ(ε_ij, η_ij),  ε_ij ~ τ_α(ε|x_j) = α p(ε) + (1 − α) τ(ε|x_j)
//   w_ij = p(ε_ij)/τ_α(ε_ij|x_j) ≤ 1/α
//
// an estimate, without bias, of E_{x'~q}[k(x, x') (∇ log q(x') − Aᵀ ∇ log p̃(z'))], as KPG (kpg.h)
// is; but most of the x' are near x, so that the kernel can be narrow in many dimensions too. τ is
// the proposal, trained as for AISIVI; α is a tenth, and the samples of a point are divided so. The
// authors learn α as a function of x, within [0.01, 0.9]. Costs m K evaluations of the target a
// step.
#pragma once

#include <vector>

#include "engine/methods/objective.h"
#include "engine/methods/stein_points.h"

namespace aisivi {

class KpgIs final : public Objective {
 public:
  explicit KpgIs(const ObjectiveOptions& options) : options_(options) {}

  // INVALID_ARGUMENT for a model of several components or without a proposal.
  absl::Status Gradients(const StepInput& input, ObjectiveState* state,
                         StepGradients* gradients) override;
  // Of the kernel in the last step.
  double bandwidth() const { return bandwidth_; }

 private:
  // Of all points: around_, weights_, score_ and square_.
  void DrawAround(const StepInput& input);
  void DrawAroundPoint(const StepInput& input, int64_t point, Scratch& scratch);
  double MedianSquare();

  const ObjectiveOptions options_;
  // Kept from step to step. Column j K + i: sample i of point j.
  ProposalContext context_;
  Eigen::MatrixXd around_;  // D×mK: z'
  TargetValues at_around_;
  Eigen::MatrixXf x_;                 // D×mK: x'
  Eigen::MatrixXd score_;             // D×mK: ∇_x' log q(x'|ε)
  Eigen::VectorXd weights_, square_;  // mK: w; ‖x' − x‖²
  Eigen::MatrixXd affine_work_, smoothed_;
  std::vector<double> values_;
  double bandwidth_ = 0;
};

}  // namespace aisivi
