#include "engine/fit/parameter_averages.h"

#include <algorithm>

namespace aisivi {

ParameterAverages BeginAverages(const ModelState& model) {
  ParameterAverages averages;
  for (const Component& component : model.components) {
    averages.family.push_back(component.family.parameters());
    averages.flow.push_back(component.proposal.parameters());
  }
  return averages;
}

void UpdateAverages(const ModelState& model, int64_t window, ParameterAverages* averages) {
  const float share = 1.0f / static_cast<float>(std::min(++averages->steps, window));
  for (size_t c = 0; c < model.components.size(); ++c) {
    const Component& component = model.components[c];
    Eigen::VectorXf &family = averages->family[c], &flow = averages->flow[c];
    family += share * (component.family.parameters() - family);
    flow += share * (component.proposal.parameters() - flow);
  }
}

ModelState Averaged(const ModelState& model, const ParameterAverages& averages) {
  ModelState state = model;
  for (size_t c = 0; averages.steps > 0 && c < state.components.size(); ++c) {
    state.components[c].family.parameters() = averages.family[c];
    state.components[c].proposal.parameters() = averages.flow[c];
  }
  return state;
}

}  // namespace aisivi
