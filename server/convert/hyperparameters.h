// Hyperparameters and the engine's FitOptions: the fields of the message are the rows of
// OptionTable(), by name.
#pragma once

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "aisivi/v1/hyperparameters.pb.h"
#include "engine/fit/options.h"

namespace aisivi::server {

// Sets every option whose field is set. INVALID_ARGUMENT at "FIELD.OPTION".
absl::Status ApplyHyperparameters(const v1::Hyperparameters& message, absl::string_view field,
                                  FitOptions* options);

// Every field set.
v1::Hyperparameters ToHyperparameters(const FitOptions& options);

}  // namespace aisivi::server
