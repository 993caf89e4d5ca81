// The points of a step as the methods by kernels see them: in whitened coordinates, with the
// difference of the scores of the target and of the conditional that generated each,
//   f_i = Aᵀ ∇ log p̃(z_i) + η_i/σ(ε_i)
// whose expectation given x_i is Aᵀ ∇ log p̃ − ∇_x log q.
#pragma once

#include <Eigen/Core>
#include <vector>

#include "engine/methods/objective.h"

namespace aisivi {

struct SteinPoints {
  std::vector<int64_t> finite;  // which points of the step: those where all of it is finite (n)
  Eigen::MatrixXd x;            // D×n
  Eigen::MatrixXd f;            // D×n
  Eigen::MatrixXd noise;        // D×n: η/σ = −∇_x log q(x|ε)
};

// Of a model of one component; INVALID_ARGUMENT of several.
absl::Status MakeSteinPoints(const StepInput& input, SteinPoints* points);

// What the methods by kernels do not know is NaN, and `finite` is set. False: there are no pairs of
// finite points, and the step is to be left out.
bool BeginGradients(const SteinPoints& points, StepGradients* gradients);

// gradient (D×n, of the finite points) into gradients->grad_x, columns that are out of proportion
// shortened (point_gradients.h); zero elsewhere.
void ScatterGradient(const SteinPoints& points, const Eigen::MatrixXd& gradient, int64_t m,
                     TypicalLength* typical, StepGradients* gradients);

}  // namespace aisivi
