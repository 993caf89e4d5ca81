// What the server is told on its command line, or in a file with the same names.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace aisivi::server {

struct ServerOptions {
  std::string listen = "127.0.0.1:50051";
  std::string metrics_listen = "127.0.0.1:9464";  // empty: no metrics
  std::string data_dir;                           // empty: DefaultDataDir()
  std::string port_file;                          // empty: none
  int threads = 0;                                // of the engine; 0: one per core
  int max_running = 2;
  int max_queued = 64;
  int max_request_mb = 64;
  int max_dataset_mb = 256;
  int64_t dataset_quota_bytes = int64_t{4} << 30;
  std::string stan_home;               // of CmdStan; empty: Debian's Stan
  std::string stan_sandbox = "bwrap";  // or "none"
  int stan_memory_mb = 2048;
  absl::Duration upload_patience = absl::Minutes(1);  // an upload may send nothing; no flag
};

// What ParseFlags found: options, or a text to print before a successful exit (--help, --version).
struct ParsedFlags {
  ServerOptions options;
  std::string print_and_exit;
};

// INVALID_ARGUMENT, one line that names the flag.
absl::StatusOr<ParsedFlags> ParseFlags(int argc, const char* const* argv);

// $XDG_DATA_HOME/aisivi, else ~/.local/share/aisivi, else ./aisivi-data.
std::string DefaultDataDir();

// The project's version, for instance "0.1.0".
std::string Version();

}  // namespace aisivi::server
