// The targets of the experiment `peers`, for the service and as programs of Stan.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "aisivi/v1/target.pb.h"
#include "client/experiments/regression_input.h"

namespace aisivi::experiments {

struct PeerTarget {
  std::string name;     // "funnel"
  v1::TargetSpec spec;  // empty: the target with its defaults
  // The same density, with all its constants, and its data as an R expression: a list.
  std::string stan, data;
};

// logistic_regression on these data, eight_schools and funnel.
std::vector<PeerTarget> PeerTargets(const RegressionInput& regression);

}  // namespace aisivi::experiments
