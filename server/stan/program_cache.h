// Compiled Stan programs, kept in a directory by what they are made of.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace aisivi::server {

// Thread-safe.
class ProgramCache {
 public:
  // Makes `directory`/model in an empty directory; the errors of CompileStan().
  using Compile =
      std::function<absl::Status(const std::string& directory, const std::atomic<bool>* cancel)>;

  // Programs are files of `directory`, which is made when the first one is. The least recently used
  // are removed once there are more than `max_programs`. At most `max_compiles` run at a time.
  ProgramCache(std::string directory, int max_programs, int max_compiles)
      : directory_(std::move(directory)),
        max_programs_(max_programs),
        max_compiles_(max_compiles) {}

  // The path of the executable for `content` (everything that it depends on), by `compile` where it
  // is not there. Who asks for what is being compiled waits for that. CANCELLED when *cancel
  // becomes true; it may be null.
  absl::StatusOr<std::string> Get(absl::string_view content, const Compile& compile,
                                  const std::atomic<bool>* cancel);

 private:
  struct Flight {
    bool ended = false;
    absl::Status status;
  };

  absl::Status Make(const std::string& path, const Compile& compile,
                    const std::atomic<bool>* cancel);
  absl::Status AwaitTurn(const std::atomic<bool>* cancel);
  void RemoveOldest() const;

  const std::string directory_;
  const int max_programs_;
  const int max_compiles_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, std::shared_ptr<Flight>> flights_;  // by path
  int compiles_ = 0;                                        // that run
};

}  // namespace aisivi::server
