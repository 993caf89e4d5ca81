// The targets with a known answer that default fits are measured on.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "client/client.h"

namespace aisivi::experiments {

// A measure beyond the evidence: its name and value.
using Measure = std::function<absl::StatusOr<double>(const Client& client, const v1::Fit& fit)>;

struct Experiment {
  std::string name;
  v1::TargetSpec target;
  double log_z;     // the truth, nats
  double log_z_se;  // Monte Carlo error of the truth itself
  double required;  // gap = log_z − elbo_lower, nats, at most
  double aim;
  std::string measure_name;  // with its limit, for the table; empty: none
  Measure measure;
};

// All of them. `data` is the folder of the ground truth files.
// NOT_FOUND when a file of it is missing.
absl::StatusOr<std::vector<Experiment>> AllExperiments(const std::string& data);

}  // namespace aisivi::experiments
