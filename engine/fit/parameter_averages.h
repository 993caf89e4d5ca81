// Averages of the parameters over the last steps: the noise of single steps cancels (Polyak &
// Juditsky 1992).
//
//   a ← a + (p − a) / min(n, w)   at step n, for a window of w steps
#pragma once

#include <Eigen/Core>
#include <cstdint>
#include <vector>

#include "engine/model/model_state.h"

namespace aisivi {

struct ParameterAverages {
  int64_t steps = 0;                          // n
  std::vector<Eigen::VectorXf> family, flow;  // one per component
};

// Averages over no steps yet, of the shape of `model`.
ParameterAverages BeginAverages(const ModelState& model);

// Adds the parameters of `model`. window: w, in steps, at least 1.
void UpdateAverages(const ModelState& model, int64_t window, ParameterAverages* averages);

// `model` with the averages for parameters; as it is before the first step.
ModelState Averaged(const ModelState& model, const ParameterAverages& averages);

}  // namespace aisivi
