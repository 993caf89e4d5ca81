// From a Stan program to an executable that evaluates it (host/host.cc).
#pragma once

#include <atomic>
#include <string>

#include "absl/status/status.h"
#include "server/stan/sandbox.h"
#include "server/stan/toolchain.h"

namespace aisivi::server {

// Compiles `program` (that CheckProgram() takes) in `directory`, which is there and empty, to
// `directory`/model. Within the sandbox; at most 3 GiB of memory, 30 s of processor time to
// translate and 120 s for each compiler, 256 MiB of each file.
//   INVALID_ARGUMENT  what Stan says is wrong, with its line and its caret; or that the program
//                     takes more than these limits
//   CANCELLED         *cancel became true; it may be null
//   INTERNAL          the compiler could not be run
// Who ends the server meanwhile leaves a compiler that ends by itself within these limits.
absl::Status CompileStan(const StanToolchain& toolchain, SandboxKind sandbox,
                         const std::string& program, const std::string& directory,
                         const std::atomic<bool>* cancel);

// All that an executable depends on beside the program: part of the key of a cache.
std::string CompilerIdentity(const StanToolchain& toolchain);

}  // namespace aisivi::server
