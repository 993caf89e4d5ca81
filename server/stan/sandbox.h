// How programs of users, and the compilers that read them, are kept apart from the machine:
// bubblewrap (package bubblewrap) without network, with the system's libraries and programs to read
// and one directory to write.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"

namespace aisivi::server {

enum class SandboxKind {
  kBubblewrap,
  kNone,  // limits only, and seccomp where programs are evaluated
};

struct SandboxLimits {
  int cpu_seconds = 0;       // of each process; 0: no limit, and none of those below
  int64_t memory_bytes = 0;  // address space of each process
  int64_t file_bytes = 0;    // of each file that is written
  int processes = 0;         // at once; within bubblewrap, unless root is who runs it
};

struct SandboxPaths {
  std::vector<std::string> read_only;  // besides /usr
  std::string writable;                // the working directory; empty: /tmp, private and empty
  bool programs = true;                // /usr as a whole, else its libraries alone
};

// `command` (absolute paths) as it is to be run.
std::vector<std::string> Sandboxed(SandboxKind kind, const SandboxPaths& paths,
                                   const SandboxLimits& limits,
                                   const std::vector<std::string>& command);

// Whether programs can be run so on this machine; the message says why not.
absl::Status CheckSandbox(SandboxKind kind);

}  // namespace aisivi::server
