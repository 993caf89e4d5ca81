// The weights of the components, by exponentiated gradient: log π_c moves along
// E_{q_c}[log p̃ − log q], whose equality over the components is the optimum.
#pragma once

#include <Eigen/Core>

#include "engine/model/model_state.h"

namespace aisivi {

// Room for a step, kept from one to the next.
struct MixtureWeightsWork {
  Eigen::VectorXd log_weight, elbo;  // one entry per component
};

// One step. log_p, log_q: log p̃ and log q̂ at points of all components, as many of each, component
// after component; those that are not finite are left out, and nothing changes when none of a
// component is finite. Σ π_c stays 1.
void UpdateMixtureWeights(const Eigen::VectorXd& log_p, const Eigen::VectorXd& log_q,
                          double rate_factor, ModelState* model, MixtureWeightsWork* work);

}  // namespace aisivi
