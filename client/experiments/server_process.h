// An aisivi-server of one's own, as a child process on a free loopback port.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <memory>
#include <stop_token>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace aisivi::experiments {

// The aisivi-server in the folder of the running program.
std::filesystem::path ServerBesideProgram();

class ServerProcess {
 public:
  // Starts `binary` with its data in a new folder inside `parent`, and waits until it listens. What
  // earlier processes left in `parent`, when they were killed, is removed. NOT_FOUND when there is
  // no such program; INTERNAL with the server's last words when it does not start; CANCELLED after
  // a request to stop.
  static absl::StatusOr<std::unique_ptr<ServerProcess>> Start(const std::filesystem::path& binary,
                                                              const std::filesystem::path& parent,
                                                              const std::stop_token& stop = {});
  // Ends the server and removes its folder.
  ~ServerProcess();
  ServerProcess(const ServerProcess&) = delete;
  ServerProcess& operator=(const ServerProcess&) = delete;

  const std::string& address() const { return address_; }  // "127.0.0.1:40123"
  pid_t pid() const { return pid_; }

 private:
  ServerProcess() = default;
  absl::Status Spawn(const std::filesystem::path& binary);
  absl::Status WaitForAddress(const std::stop_token& stop);
  bool HasEnded();

  std::filesystem::path folder_;
  std::string address_;
  pid_t pid_ = -1;
};

}  // namespace aisivi::experiments
