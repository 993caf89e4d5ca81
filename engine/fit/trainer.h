// Trains a model: alternating steps of the proposal and of the family.
//
// Flow step: flow_training.h. Family step: points of the model, the target there, the gradients of
// the method's objective (objective.h), and these sent back through the family. Everything is
// deterministic in (options, seed), whatever the number of threads.
#pragma once

#include <Eigen/Core>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/fit/flow_training.h"
#include "engine/fit/mixture_weights.h"
#include "engine/fit/options.h"
#include "engine/fit/parameter_averages.h"
#include "engine/fit/phase_seconds.h"
#include "engine/methods/methods.h"
#include "engine/methods/objective.h"
#include "engine/methods/target_values.h"
#include "engine/model/model_state.h"
#include "engine/nn/adam.h"
#include "engine/parallel/stopwatch.h"
#include "engine/parallel/workspace.h"
#include "engine/targets/target.h"

namespace aisivi {

// What one family step saw, averaged over its points. NaN where the method does not know it.
struct StepReport {
  double loss;            // of the method
  double elbo;            // nats
  double ess;             // (0, 1]
  double score_residual;  // ‖Aᵀ (s_q − s_p)‖²
  double criterion;       // what falls while training gains
  double flow_loss;       // of the last flow step
};

// All that the next step depends on besides the model, the target and the options.
struct TrainerState {
  FlowTrainingState flow;
  std::vector<Adam> family_adam;  // one per component
  ParameterAverages averages;     // over the last sixteenth of options.iterations
  ObjectiveState objective;
  uint32_t iteration = 0;     // of family steps
  int64_t skipped_steps = 0;  // not finite
};

// Thread safety: none; one thread drives a trainer.
class Trainer {
 public:
  // All must outlive the trainer. The method has an objective. `model`, untrained, is trained in
  // place; the activation
  // normalisation of its proposals is set here (BeginFlowTraining). Once `cancel` is true a step
  // ends early and changes nothing.
  Trainer(const Target& target, const FitOptions& options, const MethodEntry& method,
          ThreadPool& pool, ModelState* model, const std::atomic<bool>* cancel = nullptr);
  // Goes on with the training of `model` that has come to `state`, with the same target, options
  // and method.
  Trainer(const Target& target, const FitOptions& options, const MethodEntry& method,
          ThreadPool& pool, ModelState* model, TrainerState state,
          const std::atomic<bool>* cancel = nullptr);

  // One flow step for each component, on fresh points. False: skipped, not finite.
  bool FlowStep(double rate_factor);
  // Flow steps as the adaptation says (a single one shares the ε of the points, with an η of its
  // own), then one family step.
  // False: the family step was skipped. Error: the target's own.
  absl::StatusOr<bool> Step(double rate_factor, StepReport* report);
  // Trains the proposals alone for so many steps, the rate falling along a cosine, on the model
  // with its averaged parameters (with options.keep_last: its last ones), which becomes the model:
  // for the evidence of a method that trains without a proposal. Goes on after the first `done`
  // steps. before_step: called with the number of steps done.
  void TrainProposals(int64_t iterations, int64_t done,
                      const std::function<void(int64_t)>& before_step);
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
  StepInput Input();
  // The last part of a step: everything that learns from its points. False: not finite.
  bool Learn(double rate_factor, StepReport* report);
  bool UpdateFamily(size_t c, double rate);
  // Gradients at latents of a component; eta and grad_log_sigma may have no columns.
  struct LatentGradient {
    const Eigen::Ref<const Eigen::MatrixXf> epsilon, eta, grad_x, grad_log_sigma;
  };
  void AddGradient(const Family& family, const LatentGradient& at);

  const Target& target_;
  const FitOptions& options_;
  const std::unique_ptr<Objective> objective_;
  ThreadPool& pool_;
  ModelState* model_;
  const std::atomic<bool>* cancel_;
  Workspace workspace_;
  FlowTraining flow_training_;
  TrainerState state_;
  PhaseSeconds seconds_;

  // Kept from step to step, so that a step allocates nothing.
  PointBatch points_;
  TargetEvaluation at_points_;  // of the target at points_, which must outlive it
  FlowTrainingBuffers flow_buffers_;
  ComponentSample shared_;
  StepGradients gradients_;
  Eigen::VectorXf family_gradient_;
  MixtureWeightsWork weights_work_;
};

}  // namespace aisivi
