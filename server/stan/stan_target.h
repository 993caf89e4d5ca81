// A Stan program with its data, as the engine's target.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "engine/targets/target.h"
#include "server/stan/evaluator.h"

namespace aisivi::server {

struct StanTargetSettings {
  EvaluatorSettings evaluator;
  int processes = 1;  // that evaluate at once, at least 1: one for each of the engine's threads
};

// Starts the program's first process and looks for a point with a density.
//   INVALID_ARGUMENT  "data: …" where program and data do not go together, "program: …" where no
//                     point near 0 has a density
//   others            as of Evaluator::Start()
absl::StatusOr<std::unique_ptr<const Target>> MakeStanTarget(const std::string& executable,
                                                             absl::string_view encoded_data,
                                                             const StanTargetSettings& settings);

}  // namespace aisivi::server
