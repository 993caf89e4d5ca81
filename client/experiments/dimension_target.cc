#include "client/experiments/dimension_target.h"

#include <cmath>
#include <cstdlib>

namespace aisivi::experiments {
namespace {

// The observations at times ½ and 1 of the instance of arXiv 2405.18997 and 2506.03839.
constexpr double kMiddle = -1.50376725, kEnd = -0.767638683;

}  // namespace

const std::vector<std::string>& DimensionTargets() {
  static const auto* const kTargets =
      new std::vector<std::string>{"gaussian", "conditioned_diffusion"};
  return *kTargets;
}

v1::TargetSpec DimensionTarget(const std::string& name, int dimension) {
  v1::TargetSpec spec;
  if (name == "conditioned_diffusion") {
    v1::ConditionedDiffusionTarget* target = spec.mutable_conditioned_diffusion();
    target->set_steps(dimension);
    target->add_observations(kMiddle);
    target->add_observations(kEnd);
    return spec;
  }
  v1::GaussianTarget* target = spec.mutable_gaussian();
  target->mutable_covariance()->set_rows(dimension);
  target->mutable_covariance()->set_columns(dimension);
  for (int i = 0; i < dimension; ++i) {
    target->add_mean(0);
    for (int j = 0; j < dimension; ++j) {
      target->mutable_covariance()->add_values(std::ldexp(1, -std::abs(i - j)));
    }
  }
  return spec;
}

}  // namespace aisivi::experiments
