// From a Stan program to an executable that evaluates it (host/host.cc).
#pragma once

#include <atomic>
#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/stan/sandbox.h"
#include "server/stan/toolchain.h"

namespace aisivi::server {

// The path of what CompileStanHost() made, made first where it is not there.
using StanHost = std::function<absl::StatusOr<std::string>(const std::atomic<bool>* cancel)>;

// Compiles what is common to all programs, in `directory`, which is there and empty, to
// `directory`/model, an object file. Within the sandbox and the limits of CompileStan(). CANCELLED
// as there; INTERNAL where it does not compile.
absl::Status CompileStanHost(const StanToolchain& toolchain, SandboxKind sandbox,
                             const std::string& directory, const std::atomic<bool>* cancel);

// Compiles `program` (that CheckProgram() takes) in `directory`, which is there and empty, and
// links it with what `host` returns, to `directory`/model. `host` is called from another thread,
// while the program is compiled. Within the sandbox; at most 3 GiB of memory, 30 s of processor
// time to translate and 120 s for each compiler, 256 MiB of each file.
//   INVALID_ARGUMENT  what Stan says is wrong, with its line and its caret; or that the program
//                     takes more than these limits
//   CANCELLED         *cancel became true; it may be null
//   INTERNAL          the compiler could not be run
//   others            of `host`
// Who ends the server meanwhile leaves a compiler that ends by itself within these limits.
absl::Status CompileStan(const StanToolchain& toolchain, SandboxKind sandbox,
                         const std::string& program, const StanHost& host,
                         const std::string& directory, const std::atomic<bool>* cancel);

// All that an executable depends on beside the program, and all that the host's object does: parts
// of the keys of caches.
std::string CompilerIdentity(const StanToolchain& toolchain);
std::string HostIdentity(const StanToolchain& toolchain);

}  // namespace aisivi::server
