// The data of a Stan program: JSON as CmdStan reads it, into the form of host/wire.h.
//
//   {"N": 3, "y": [1.5, 2, "NaN"], "x": [[1, 2], [3, 4], [5, 6]]}
//
// Whole numbers that fit an int are ints, which may stand for reals too; an array is one of ints
// when all its numbers are. NaN, Inf, +Inf, -Inf, Infinity, -Infinity stand bare or as strings.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace aisivi::server {

// Arrays within arrays.
constexpr int kMaxDataDepth = 16;

// Empty `json` is an empty object. INVALID_ARGUMENT, a text that names the variable: what is no
// JSON, no object, given twice, ragged, nested deeper, or holds what is no number. Takes memory of
// eight times the text's size at most.
absl::StatusOr<std::string> EncodeStanData(absl::string_view json);

}  // namespace aisivi::server
