#include "engine/fit/flow_training.h"

#include <algorithm>
#include <cmath>

namespace aisivi {
namespace {

constexpr int64_t kShardPoints = 32;  // per task

// Fresh pairs of component c for step `iteration`.
void SamplePairs(const FlowTraining& training, const ModelState& model, size_t c,
                 uint32_t iteration, ComponentSample* sample) {
  SampleComponent(model.components[c], training.options.seed, RngPurpose::kFlowLatent,
                  RngPurpose::kFlowNoise, iteration, static_cast<uint32_t>(c), training.points,
                  training.workspace.caller(), sample);
}

void InitializeNormalisation(const ComponentSample& sample, Scratch& scratch, Proposal* proposal) {
  Scratch::Frame frame(scratch);
  TileMap epsilon = TakeTile(scratch, sample.epsilon.rows(), sample.epsilon.cols());
  TileMap x = TakeTile(scratch, sample.x.rows(), sample.x.cols());
  epsilon = sample.epsilon;
  x = sample.x;
  proposal->InitializeNormalisation(Const(epsilon), Const(x));
}

}  // namespace

FlowTrainingState BeginFlowTraining(const FlowTraining& training, ModelState* model,
                                    FlowTrainingBuffers* buffers) {
  FlowTrainingState state;
  state.adam.resize(model->components.size());
  for (size_t c = 0; c < model->components.size(); ++c) {
    Component& component = model->components[c];
    if (!component.has_proposal) continue;
    state.adam[c] = Adam(component.proposal.parameters().size(), training.options.adam_beta1,
                         training.options.adam_beta2);
    if (component.proposal.StartsInPlace()) continue;
    if (training.options.flow_normalisation == "forward") {
      component.proposal.NormaliseForward();
      continue;
    }
    SamplePairs(training, *model, c, 0, &buffers->sample);
    InitializeNormalisation(buffers->sample, training.workspace.caller(), &component.proposal);
  }
  return state;
}

bool TrainFlow(const FlowTraining& training, size_t c, const ComponentSample& sample, double rate,
               ModelState* model, FlowTrainingState* state, FlowTrainingBuffers* buffers) {
  Proposal& proposal = model->components[c].proposal;
  const int64_t n = sample.x.cols(), shards = (n + kShardPoints - 1) / kShardPoints;
  std::vector<Eigen::VectorXf>& gradients = buffers->gradients;
  std::vector<double>& losses = buffers->losses;
  gradients.resize(shards);
  losses.resize(shards);
  training.pool.ParallelFor(shards, [&](int64_t s, int worker) {
    Scratch& scratch = training.workspace.worker(worker);
    Scratch::Frame frame(scratch);
    const int64_t first = s * kShardPoints, count = std::min(kShardPoints, n - first);
    TileMap epsilon = TakeTile(scratch, sample.epsilon.rows(), count);
    TileMap x = TakeTile(scratch, sample.x.rows(), count);
    epsilon = sample.epsilon.middleCols(first, count);
    x = sample.x.middleCols(first, count);
    gradients[s].setZero(proposal.parameters().size());
    losses[s] = proposal.LossAndGradient(Const(epsilon), Const(x), 1.0f / static_cast<float>(n),
                                         scratch, &gradients[s]);
  });
  Eigen::VectorXf& gradient = gradients[0];
  double total = losses[0];
  for (int64_t s = 1; s < shards; ++s) {
    total += losses[s];
    gradient += gradients[s];
  }
  if (!std::isfinite(total) || !Adam::CanStep(gradient)) return false;
  state->loss = total / static_cast<double>(n);
  state->adam[c].Step(rate, gradient, &proposal.parameters(), training.pool);
  return true;
}

bool FlowStep(const FlowTraining& training, double rate, ModelState* model,
              FlowTrainingState* state, FlowTrainingBuffers* buffers) {
  bool all_finite = true;
  for (size_t c = 0; c < model->components.size(); ++c) {
    if (!model->components[c].has_proposal) continue;
    SamplePairs(training, *model, c, state->iteration, &buffers->sample);
    all_finite &= TrainFlow(training, c, buffers->sample, rate, model, state, buffers);
  }
  ++state->iteration;
  return all_finite;
}

}  // namespace aisivi
