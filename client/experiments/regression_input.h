// The data of the experiments on logistic regression.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "aisivi/v1/target.pb.h"
#include "client/experiments/logistic_density.h"

namespace aisivi::experiments {

struct RegressionInput {
  v1::TargetSpec spec;  // logistic_regression, with a prior precision of 0.01
  LogisticData data;    // the same
  std::string source;   // for people: the file's name
};

// Reads --data: response, then features. INVALID_ARGUMENT naming --data when it cannot be read.
absl::StatusOr<RegressionInput> ReadRegression(const std::string& file);

// The same, or without a file the example data of the program.
absl::StatusOr<RegressionInput> ReadRegressionOrExample(const std::string& file);

}  // namespace aisivi::experiments
