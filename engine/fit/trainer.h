// Trains a model: alternating steps of the proposal and of the family.
//
// Flow step: flow_training.h. Family step (path gradient):
//   ∇_φ KL(q‖p) = E[(s_q(z) − ∇ log p̃(z))ᵀ ∂h_φ/∂φ],
// s_q from the method's inner samples and constant for the way back, so that the way back sees the
// m points only. See DESIGN.md §1. Everything is deterministic in (options, seed), whatever the
// number of threads. With options.adaptive the numbers of inner samples and of flow steps follow
// what the steps see (adaptation.h).
#pragma once

#include <Eigen/Core>
#include <atomic>
#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/fit/adaptation.h"
#include "engine/fit/flow_training.h"
#include "engine/fit/mixture_weights.h"
#include "engine/fit/options.h"
#include "engine/fit/parameter_averages.h"
#include "engine/fit/phase_seconds.h"
#include "engine/fit/point_batch.h"
#include "engine/fit/point_gradients.h"
#include "engine/methods/marginal.h"
#include "engine/methods/methods.h"
#include "engine/model/model_state.h"
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

// All that the next step depends on besides the model, the target and the options.
struct TrainerState {
  FlowTrainingState flow;
  std::vector<Adam> family_adam;  // one per component
  ParameterAverages averages;     // over the last sixteenth of options.iterations
  Adaptation adaptation;
  TypicalLength typical_length;
  uint32_t iteration = 0;     // of family steps
  int64_t skipped_steps = 0;  // not finite
};

// Thread safety: none; one thread drives a trainer.
class Trainer {
 public:
  // All must outlive the trainer. `model`, untrained, is trained in place; the activation
  // normalisation of its proposals is set here (BeginFlowTraining). Once `cancel` is true a step
  // ends early and changes nothing.
  Trainer(const Target& target, const FitOptions& options, const MethodEntry& method,
          ThreadPool& pool, ModelState* model, const std::atomic<bool>* cancel = nullptr);

  // One flow step for each component, on fresh points. False: skipped, not finite.
  bool FlowStep(double rate_factor);
  // Flow steps as the adaptation says (a single one shares the points), then one family step.
  // False: the family step was skipped. Error: the target's own.
  absl::StatusOr<bool> Step(double rate_factor, StepReport* report);
  // Goes on from `model`, of the same shape, with new averages. With `forget` also Adam's moments
  // begin anew: those of a run that diverged would hold the next one back for a thousand steps.
  void Restore(const ModelState& model, bool forget);

  const TrainerState& state() const { return state_; }
  // The model with its averaged parameters.
  ModelState AveragedModel() const { return Averaged(*model_, state_.averages); }
  // Since the trainer was made.
  const PhaseSeconds& phase_seconds() const { return seconds_; }

 private:
  void ForgetMoments();
  void TrainFlows(double rate_factor);
  MarginalRequest InnerRequestFor(uint32_t iteration) const;
  // The last part of a step: everything that learns from its points. False: not finite.
  bool Learn(double rate_factor, StepReport* report);
  bool UpdateFamily(size_t c, double rate);
  void AdaptToNoise();

  const Target& target_;
  const FitOptions& options_;
  const MethodEntry& method_;
  ThreadPool& pool_;
  ModelState* model_;
  const std::atomic<bool>* cancel_;
  Workspace workspace_;
  FlowTraining flow_training_;
  TrainerState state_;
  PhaseSeconds seconds_;

  // Kept from step to step, so that a step allocates nothing.
  PointBatch points_;
  FlowTrainingBuffers flow_buffers_;
  MarginalEstimate marginal_, second_marginal_;
  PointGradients gradients_;
  Eigen::VectorXf family_gradient_;
  MixtureWeightsWork weights_work_;
};

}  // namespace aisivi
