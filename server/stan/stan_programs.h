// The Stan programs of a server: from the target of a request to one that can be fitted.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "aisivi/v1/target.pb.h"
#include "engine/targets/target.h"
#include "server/stan/program_cache.h"
#include "server/stan/sandbox.h"
#include "server/stan/toolchain.h"

namespace aisivi::server {

struct StanSettings {
  std::string directory;  // of compiled programs
  std::string stan_home;  // of CmdStan; empty: Debian's Stan
  SandboxKind sandbox = SandboxKind::kBubblewrap;
  int64_t memory_bytes = int64_t{2} << 30;  // address space of each process that evaluates
  int processes = 1;                        // of a target, at once
};

// Thread-safe.
class StanPrograms {
 public:
  explicit StanPrograms(const StanSettings& settings);

  // Why no Stan program can be fitted here, for people; empty: they can. The first call takes a
  // fraction of a second.
  std::string unavailable();

  // Compiles the program, or finds it compiled, and starts it with its data. Takes 10 to 20 s for a
  // new program, else some milliseconds. `field`: the path of `spec`.
  //   FAILED_PRECONDITION  unavailable(), reason STAN_UNAVAILABLE
  //   INVALID_ARGUMENT     at FIELD.program, with Stan's line and caret; at FIELD.data, with the
  //                        variable's name
  //   RESOURCE_EXHAUSTED   it takes more time or memory than it may
  //   CANCELLED            *cancel became true; it may be null
  absl::StatusOr<std::unique_ptr<const Target>> Build(const v1::StanTarget& spec,
                                                      absl::string_view field,
                                                      const std::atomic<bool>* cancel);

 private:
  absl::StatusOr<StanToolchain> Toolchain();

  const StanSettings settings_;
  ProgramCache cache_;
  ProgramCache hosts_;  // what CompileStanHost() makes, in a folder of its own
  std::mutex mutex_;
  std::optional<absl::StatusOr<StanToolchain>> toolchain_;  // once it was looked for
};

}  // namespace aisivi::server
