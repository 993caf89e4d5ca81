// The parts of a model as bytes, and back: what Model::Serialize() and Parse() do, without a Model.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "engine/model/model_state.h"

namespace aisivi {

// Self-contained and versioned. A component without a proposal keeps nothing of it.
std::string SerializeModelState(const ModelState& state);
// INVALID_ARGUMENT for bytes that are not a model; DATA_LOSS when the checksum does not match.
absl::StatusOr<std::unique_ptr<ModelState>> ParseModelState(std::string_view bytes);

}  // namespace aisivi
