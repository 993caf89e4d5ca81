// SIVI: the surrogate bound of Yin & Zhou (ICML 2018).
//
//   loss = E[log q̂(x) − log p̃(z)],   q̂(x) = (q(x|ε₀) + Σ_{k=1..K} q(x|ε_k)) / (K + 1)
//
// with ε₀ the latent that generated x and ε_k ~ p(ε) shared by all points of a step. −loss is a
// lower bound of the ELBO that grows with K. Unlike the path gradient it is differentiated through
// every conditional: with w_ik the shares of q̂(x_i) and r_ik = (x_i − μ_k)/σ_k,
//   d loss / d x_i = (−Σ_k w_ik r_ik/σ_k − Aᵀ ∇ log p̃(z_i)) / m
//   d loss / d μ_k = Σ_i w_ik r_ik/σ_k / m,    d loss / d log σ_k = Σ_i w_ik (r_ik² − 1) / m
// so that memory grows with K.
#pragma once

#include "engine/methods/marginal.h"
#include "engine/methods/objective.h"

namespace aisivi {

class Sivi final : public Objective {
 public:
  explicit Sivi(const ObjectiveOptions& options) : options_(options) {}

  // INVALID_ARGUMENT for a model of several components.
  absl::Status Gradients(const StepInput& input, ObjectiveState* state,
                         StepGradients* gradients) override;

 private:
  // latents_ ← ε₀ of the points, then K fresh ones; and their conditionals.
  void SampleLatents(const StepInput& input);
  // weights_ and log_q.
  void Weigh(const StepInput& input, StepGradients* gradients);
  void PointScores(const StepInput& input);
  void LatentScores(const StepInput& input, LatentGradients* out);

  const ObjectiveOptions options_;
  Eigen::MatrixXf epsilon_;               // E×(m + K)
  Eigen::MatrixXd x_, mean_, inv_sigma_;  // D×m; D×(m + K)
  Eigen::VectorXd log_det_;               // m + K: Σ_d log σ_d
  Eigen::MatrixXd weights_;               // (m + K)×m: w, 0 for the ε₀ of other points
  MarginalEstimate marginal_;             // log q̂ and its score, for MakePointGradients
  PointGradients points_;
};

}  // namespace aisivi
