// Training of the proposals: maximise log τ_θ(ε|x) over pairs (ε, x) of the model.
#pragma once

#include <Eigen/Core>
#include <cstdint>
#include <vector>

#include "engine/fit/options.h"
#include "engine/model/model_state.h"
#include "engine/model/sampler.h"
#include "engine/nn/adam.h"
#include "engine/parallel/thread_pool.h"
#include "engine/parallel/workspace.h"

namespace aisivi {

// All that the next flow step depends on besides the model.
struct FlowTrainingState {
  std::vector<Adam> adam;  // one per component; without parameters where it has no proposal
  uint32_t iteration = 0;  // of steps on points of their own
  double loss = 0;         // nats; of the last step: −mean log τ_θ(ε|x) of the last component
};

// Room for a step, kept from one to the next.
struct FlowTrainingBuffers {
  ComponentSample sample;
  std::vector<Eigen::VectorXf> gradients;  // one per shard of points
  std::vector<double> losses;              // likewise
};

// What one step needs to know.
struct FlowTraining {
  const FitOptions& options;
  int64_t points;  // of each component
  ThreadPool& pool;
  Workspace& workspace;
};

// Adam's moments for every proposal, and the activation normalisation of those with a standard base
// set, where options.flow_normalisation says so: "inverse" from the points of the first step,
// "forward" from the base (proposal.h). It is trained with the rest.
FlowTrainingState BeginFlowTraining(const FlowTraining& training, ModelState* model,
                                    FlowTrainingBuffers* buffers);

// One step of component c's proposal on the pairs of `sample`. False, and nothing changed: not
// finite.
bool TrainFlow(const FlowTraining& training, size_t c, const ComponentSample& sample, double rate,
               ModelState* model, FlowTrainingState* state, FlowTrainingBuffers* buffers);

// One step of every proposal, on fresh pairs. False: at least one was skipped.
bool FlowStep(const FlowTraining& training, double rate, ModelState* model,
              FlowTrainingState* state, FlowTrainingBuffers* buffers);

}  // namespace aisivi
