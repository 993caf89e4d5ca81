// aisivi-server: runs until SIGTERM or SIGINT.
#include <grpc/support/log.h>
#include <pthread.h>

#include <csignal>
#include <cstdio>
#include <memory>
#include <string>

#include "engine/fit/fit.h"
#include "server/config/flags.h"
#include "server/memory.h"
#include "server/server.h"
#include "spdlog/sinks/stdout_color_sinks.h"
#include "spdlog/spdlog.h"

namespace {

constexpr int kUsageError = 2;

int Fail(const absl::Status& status) {
  std::fprintf(stderr, "aisivi-server: %s\n", std::string(status.message()).c_str());
  return kUsageError;
}

// gRPC's own messages are for who debugs it: errors that matter come back as statuses.
void LogForGrpc(gpr_log_func_args* message) { spdlog::debug("grpc: {}", message->message); }

// Blocks the signals in this thread and, by inheritance, in all threads it starts.
sigset_t BlockEndSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  return signals;
}

}  // namespace

int main(int argc, char** argv) {
  using aisivi::server::ParsedFlags;
  using aisivi::server::Server;
  const absl::StatusOr<ParsedFlags> flags = aisivi::server::ParseFlags(argc, argv);
  if (!flags.ok()) return Fail(flags.status());
  if (!flags->print_and_exit.empty()) {
    std::fputs(flags->print_and_exit.c_str(), stdout);
    return 0;
  }
  aisivi::server::KeepTemporaries();
  gpr_set_log_function(LogForGrpc);
  spdlog::set_default_logger(spdlog::stderr_color_mt("aisivi-server"));
  const sigset_t signals = BlockEndSignals();
  absl::StatusOr<std::unique_ptr<Server>> server = Server::Start(
      flags->options, [](const aisivi::Target& target, const aisivi::FitOptions& options,
                         aisivi::ThreadPool& pool, const aisivi::FitControl& control) {
        return aisivi::RunFit(target, options, pool, control);
      });
  if (!server.ok()) return Fail(server.status());
  int signal = 0;
  sigwait(&signals, &signal);
  spdlog::info("signal {}: ending", signal);
  (*server)->Shutdown();
  spdlog::info("ended");
  return 0;
}
