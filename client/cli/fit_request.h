// The Fit that `aisivi fit` asks for, from its flags.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "aisivi/v1/fit.pb.h"
#include "client/cli/dataset_flags.h"

namespace aisivi::cli {

struct TargetFlags {
  std::string target;
  std::vector<std::string> params;  // key=value
  std::string data;                 // CSV file; of a Stan program a JSON file
  std::string stan;                 // file with a Stan program
  DatasetFlags dataset;
};

struct FitFlags {
  std::string spec;  // file with the JSON form of Fit, "-" for standard input
  TargetFlags target;
  std::string method;
  std::string preset;
  std::vector<std::string> set;  // setting=value
  std::string time_limit;        // the same as the last of `set`
  std::string restarts;          // likewise
  std::optional<uint64_t> seed;
  std::string display_name;
};

// Chooses the target and fills its parameters.
absl::Status ApplyTarget(const TargetFlags& flags, v1::Fit* fit);

// Everything together; flags win over the spec. INVALID_ARGUMENT names the flag or field.
absl::StatusOr<v1::Fit> BuildFit(const FitFlags& flags);

}  // namespace aisivi::cli
