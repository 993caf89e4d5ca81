// What tells one fit from another: the options, and the target by what it answers.
#pragma once

#include <cstdint>

#include "absl/status/statusor.h"
#include "engine/fit/options.h"
#include "engine/targets/target.h"

namespace aisivi {

// FNV-1a, 64 bits, over all options (after ApplyMethod()), the names of the coordinates and log p̃
// at four fixed points, in single precision: a target whose last digits differ from one evaluation
// to the next is the same target. The target's own error.
absl::StatusOr<uint64_t> SpecHash(const Target& target, const FitOptions& options);

}  // namespace aisivi
