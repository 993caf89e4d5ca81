// Trains a model: alternating steps of the proposal and of the family.
//
// Flow step: maximise log τ_θ(ε|x) over fresh pairs (ε, x) of the model.
// Family step (path gradient): ∇_φ KL(q‖p) = E[(s_q(z) − ∇ log p̃(z))ᵀ ∂h_φ/∂φ], s_q from the
// method's inner samples and constant for the way back, so that the way back sees the m points
// only. See DESIGN.md §1. Everything is deterministic in (options, seed), whatever the number of
// threads.
//
// With options.adaptive, k doubles while the noise of s_q is a large part of the score residual,
// and flow steps are added while the effective share of the inner samples is below its floor.
#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/fit/options.h"
#include "engine/methods/marginal.h"
#include "engine/methods/methods.h"
#include "engine/model/model_state.h"
#include "engine/model/sampler.h"
#include "engine/nn/adam.h"
#include "engine/parallel/workspace.h"
#include "engine/targets/target.h"

namespace aisivi {

// What one family step saw, averaged over its points.
struct StepReport {
  double loss;             // log q̂ − log p̃, nats
  double ess;              // (0, 1]
  double score_residual;   // ‖Aᵀ (s_q − s_p)‖²
  double median_residual;  // its median over the points
  double flow_loss;        // of the last flow step
};

// Where the time of the steps went, in seconds, summed since the trainer was made.
struct PhaseSeconds {
  double flow = 0;    // flow steps
  double points = 0;  // drawing the points
  double target = 0;  // log p̃ and its score
  double inner = 0;   // inner samples: log q̂ and s_q
  double family = 0;  // way back and update of the family
};

// Thread safety: none; one thread drives a trainer.
class Trainer {
 public:
  // All must outlive the trainer. `state`, untrained, is trained in place; the activation
  // normalisation of proposals with a standard base is set here, once and for all. Once `cancel` is
  // true a step ends early and changes nothing.
  Trainer(const Target& target, const FitOptions& options, const MethodEntry& method,
          ThreadPool& pool, ModelState* state, const std::atomic<bool>* cancel = nullptr);

  // One flow step for each component, on fresh points. False: skipped, not finite.
  bool FlowStep(double rate_factor);
  // Flow steps as the options say or more, then one family step. False: the family step was
  // skipped. Error: the target's own.
  absl::StatusOr<bool> Step(double rate_factor, StepReport* report);

  int64_t skipped_steps() const { return skipped_; }
  double flow_loss() const { return flow_loss_; }
  // k and the flow steps of the next family step.
  int64_t inner_samples() const { return inner_samples_; }
  int64_t flow_steps() const { return flow_steps_; }
  // The model with its parameters averaged over the last sixteenth of options.iterations, or over
  // the steps so far: the noise of single steps cancels (Polyak & Juditsky 1992).
  ModelState Averaged() const;
  // Goes on from `state`, of the same shape. With `forget` also Adam's moments begin anew: those of
  // a run that went astray would hold the next one back for a thousand steps.
  void Restore(const ModelState& state, bool forget);
  const PhaseSeconds& phase_seconds() const { return seconds_; }

 private:
  struct ComponentTrainer {
    Adam family_adam, flow_adam;
    Eigen::VectorXf family_gradient;
    Eigen::VectorXf family_average, flow_average;
    std::vector<Eigen::VectorXf> flow_gradient;  // one per shard of points
    std::vector<double> flow_loss;               // likewise
    ComponentSample sample;
  };

  struct TargetShard {
    absl::Status status;
    Eigen::VectorXd log_p;
    Eigen::MatrixXd score;
  };

  void InitializeNormalisation();
  // Fresh pairs (ε, x) of component c for flow step flow_iteration_.
  void SampleFlowPoints(int c);
  bool TrainFlow(int c, const ComponentSample& sample, double rate);
  void SamplePoints();
  MarginalRequest InnerRequestFor(uint32_t iteration) const;
  absl::Status EvaluateTarget();
  // residual_ ← Aᵀ (a − b), A of each point's component.
  void WhitenDifference(const Eigen::MatrixXd& a, const Eigen::MatrixXd& b);
  // The gradient of the loss in the whitened coordinates of each point's component; false when too
  // few points are finite.
  bool PointGradients(StepReport* report);
  bool UpdateFamily(int c, double rate);
  void UpdateWeights(double rate_factor);
  void UpdateAverages();
  // Chooses k and the flow steps from what the last steps saw.
  void Adapt();
  // The median of ‖Aᵀ (s_q − E s_q)‖² over the last step's points, from a second set of inner
  // samples.
  double ScoreNoise();

  const Target& target_;
  const FitOptions& options_;
  const MethodEntry& method_;
  ThreadPool& pool_;
  ModelState* state_;
  const std::atomic<bool>* cancel_;
  Workspace workspace_;
  std::vector<ComponentTrainer> trainers_;
  int64_t points_each_;  // m over the components
  int64_t inner_samples_, flow_steps_;
  int64_t averaged_ = 0;                         // steps in the averages
  double typical_length_ = 0;                    // running median of ‖Aᵀ (s_q − s_p)‖
  double window_ess_ = 0, window_residual_ = 0;  // sums since the last Adapt()
  int64_t window_steps_ = 0;
  uint32_t iteration_ = 0, flow_iteration_ = 0;
  int64_t skipped_ = 0;
  double flow_loss_ = 0;
  PhaseSeconds seconds_;

  // The points of a step, component after component.
  Eigen::MatrixXd z_;
  Origin origin_;
  Eigen::VectorXd log_p_;
  Eigen::MatrixXd score_p_;
  MarginalEstimate marginal_, second_marginal_;
  Eigen::MatrixXf grad_x_;  // D × all points

  // Kept from step to step, so that a step allocates nothing.
  std::vector<TargetShard> evaluations_;
  Eigen::MatrixXd work_;                   // D × points of a component
  Eigen::MatrixXd difference_, residual_;  // D × all points
  std::vector<double> squares_;            // working space of medians
  Eigen::VectorXd log_weight_, elbo_;      // one per component
};

}  // namespace aisivi
