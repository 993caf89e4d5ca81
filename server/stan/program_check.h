// What of a Stan program can be refused before a compiler reads it.
#pragma once

#include <cstdint>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace aisivi::server {

// Bytes of a program (target.proto).
constexpr int64_t kMaxProgramBytes = 1'000'000;
// Brackets within brackets: compilers recurse, Stan 2.21's takes twice as long for each "(".
constexpr int kMaxNesting = 100;

// INVALID_ARGUMENT, a text that says what is wrong and in which line: an empty program, one that is
// too long or too deep, bytes that are no text, `#include`.
absl::Status CheckProgram(absl::string_view program);

}  // namespace aisivi::server
