// The list of experiments. A new one is a file pair and a line in registry.cc.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "client/experiments/context.h"
#include "client/experiments/settings.h"

namespace aisivi::experiments {

struct ExperimentEntry {
  std::string name;
  std::string doc;                 // one line: what it shows
  std::vector<std::string> flags;  // those of --methods, --target, --reference, --data it takes
  // Runs what is not in the folder yet and writes the report, its tables and pictures.
  absl::Status (*run)(const Context& context);
};

const std::vector<ExperimentEntry>& ExperimentRegistry();

// NOT_FOUND naming NAME (the message lists the names) when there is none.
absl::StatusOr<const ExperimentEntry*> FindExperiment(absl::string_view name);

// INVALID_ARGUMENT naming a flag that was given and that the experiment does not take.
absl::Status CheckFlags(const ExperimentEntry& entry, const Settings& settings);

}  // namespace aisivi::experiments
