// Programs that the server runs.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace aisivi::server {

struct ChildEnd {
  int exit_code = 0;
  int signal = 0;  // that killed it, or that bubblewrap says killed what ran in it; 0: none
};

// A process with a group of its own, an empty signal mask, and no descriptors but the given ones
// and 0 to 2. Killed, with all it started, when this goes. Not thread-safe.
class ChildProcess {
 public:
  // Runs argv[0], a path or a name looked up in $PATH. `fds`: (number in the child, number here);
  // 0 to 2 that are not named are /dev/null.
  static absl::StatusOr<ChildProcess> Start(const std::vector<std::string>& argv,
                                            const std::vector<std::pair<int, int>>& fds);
  ChildProcess(ChildProcess&& other) noexcept : pid_(std::exchange(other.pid_, -1)) {}
  ChildProcess& operator=(ChildProcess&& other) noexcept {
    std::swap(pid_, other.pid_);
    return *this;
  }
  ~ChildProcess();

  // Waits for at most so long; none when it still runs.
  std::optional<ChildEnd> Wait(absl::Duration at_most);
  // Ends it if it runs. What it ended by.
  ChildEnd Kill();

  pid_t pid() const { return pid_; }

 private:
  explicit ChildProcess(pid_t pid) : pid_(pid) {}
  pid_t pid_;
};

struct CommandResult {
  ChildEnd end;
  bool timed_out = false;
  std::string output;  // standard output and error together, the first `max_output` bytes
};

// Runs a command to its end. After `at_most` it is killed. CANCELLED when *cancel becomes true; it
// may be null. INTERNAL when it cannot be started.
absl::StatusOr<CommandResult> RunCommand(const std::vector<std::string>& argv,
                                         absl::Duration at_most, size_t max_output,
                                         const std::atomic<bool>* cancel);

}  // namespace aisivi::server
