// What a training step learns from its points.
//
// A step draws points z = h_φ(ε, η) of the model and asks the target there. The objective
// turns them into gradients of its loss with respect to what the family put out, and the trainer
// sends these back through the family. Two kinds (DESIGN.md §1):
//   score methods      d loss / d x = s_q(x) − s_p(x), the path gradient over an estimator of s_q
//                      (path_gradient.h)
//   objective methods  a loss of their own: KSIVI (ksivi.h), SIVI (sivi.h), …
// A new method is one file pair here and one line in methods.cc.
#pragma once

#include <Eigen/Core>
#include <atomic>
#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "engine/methods/adaptation.h"
#include "engine/methods/kernel.h"
#include "engine/methods/latent_chain.h"
#include "engine/methods/point_batch.h"
#include "engine/methods/point_gradients.h"
#include "engine/methods/target_values.h"
#include "engine/model/model_state.h"
#include "engine/parallel/thread_pool.h"
#include "engine/parallel/workspace.h"
#include "engine/targets/target.h"

namespace aisivi {

struct ObjectiveOptions {
  uint64_t seed = 1;
  int64_t inner_samples = 64;  // in all chunks; of those methods that have any
  bool adaptive = true;        // inner samples and flow steps follow what the steps see
  KernelKind kernel = KernelKind::kGaussian;  // of the methods by kernels
  bool v_statistic = false;                   // KSIVI: pairs of a point with itself count
  ChainOptions chain;                         // UIVI
};

// What one step hands to its objective.
struct StepInput {
  const Target& target;
  const ModelState& model;
  const PointBatch& points;  // component after component, as many of each
  // Of the target at the points, begun. To be awaited as late as the method can: what is made
  // before costs no time where the answer comes from elsewhere.
  TargetEvaluation& at_points;
  uint32_t iteration;
  ThreadPool& pool;
  Workspace& workspace;
  const std::atomic<bool>* cancel;  // may be null
};

// What the next step depends on besides the model.
struct ObjectiveState {
  Adaptation adaptation;
  TypicalLength typical_length;
  double chain_step = kFirstChainStep;  // UIVI: of its leapfrogs
};

// Gradients with respect to μ and log σ at latents of the loss's own, of one component.
struct LatentGradients {
  Eigen::MatrixXf epsilon;         // E×n
  Eigen::MatrixXf grad_mean;       // D×n
  Eigen::MatrixXf grad_log_sigma;  // D×n
};

// Kept from step to step, so that a step allocates nothing. All in whitened coordinates x.
struct StepGradients {
  Eigen::MatrixXf grad_x;  // D×m: d loss / d x at x = h_φ(ε, η); zero at points that are not finite
  // D×m: what the loss owes to log σ beside the way through x; no columns: nothing.
  Eigen::MatrixXf grad_log_sigma;
  std::vector<LatentGradients> latents;  // one per component, or none
  Eigen::VectorXd log_q;                 // m: an estimate of log q(z); empty: the method has none

  // Over the finite points; NaN where the method does not know it.
  int64_t finite = 0;         // their number
  double loss = 0;            // what is minimised
  double elbo = 0;            // an estimate of the ELBO, nats
  double ess = 0;             // mean effective share of the inner samples
  double score_residual = 0;  // mean of ‖Aᵀ (s_q − s_p)‖²
  double criterion = 0;       // what falls while training gains, ≥ 0: the residual or the loss
};

// Thread safety: one thread at a time.
class Objective {
 public:
  virtual ~Objective() = default;
  Objective() = default;
  Objective(const Objective&) = delete;
  Objective& operator=(const Objective&) = delete;

  // The gradients at the points of a step. Deterministic in (options, input, state) at any number
  // of threads. The target's own error. Once input.cancel is true what is returned is not to be
  // used. Awaits input.at_points, unless it returns an error before.
  virtual absl::Status Gradients(const StepInput& input, ObjectiveState* state,
                                 StepGradients* gradients) = 0;
  // After the family has taken the step.
  virtual void AfterStep(const StepInput& input, ObjectiveState* state) {
    static_cast<void>(input);
    static_cast<void>(state);
  }
};

}  // namespace aisivi
