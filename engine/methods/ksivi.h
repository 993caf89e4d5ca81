// KSIVI: the kernel Stein discrepancy between the model and the target (Cheng et al., ICML 2024,
// arXiv 2405.18997).
//
//   f_i = Aᵀ ∇ log p̃(z_i) − ∇_x log q(x_i|ε_i) = Aᵀ ∇ log p̃(z_i) + η_i/σ(ε_i)
//   loss = 1/(m (m−1)) Σ_{i≠j} k(x_i, x_j) f_iᵀ f_j            (U-statistic; V: 1/m² Σ_{ij})
//
// with k of kernel.h in whitened coordinates and its bandwidth held fixed. With g_i = c Σ_j k_ij
// f_j, c = 2/(m (m−1)) or 2/m²:
//   d loss / d x_i = c Σ_j ∇_{x_i} k_ij f_iᵀ f_j + Aᵀ H(z_i) A g_i,   H = ∇² log p̃
//   d loss / d log σ_i = −g_i ⊙ η_i/σ_i                        beside the way through x
// H times a vector is a central difference of scores: two evaluations more of each point. No inner
// samples, no proposal. Blind to how much weight modes far from each other have.
#pragma once

#include "engine/methods/objective.h"
#include "engine/methods/stein_points.h"

namespace aisivi {

class Ksivi final : public Objective {
 public:
  explicit Ksivi(const ObjectiveOptions& options) : options_(options) {}

  // INVALID_ARGUMENT for a model of several components.
  absl::Status Gradients(const StepInput& input, ObjectiveState* state,
                         StepGradients* gradients) override;

 private:
  // g and the loss.
  void Smooth(int64_t points, StepGradients* gradients);
  // residual_ += Aᵀ H A g.
  absl::Status AddCurvature(const StepInput& input);

  const ObjectiveOptions options_;
  SteinPoints points_;
  KernelMatrix kernel_;
  Eigen::MatrixXd products_, g_, residual_;  // n×n: k_ij of the pairs that count; D×n
  Eigen::MatrixXd shifted_;                  // z_i ± δ A g_i/‖g_i‖
  TargetValues at_shifted_;
};

}  // namespace aisivi
