#include "server/config/flags.h"

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <limits>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "engine/parallel/instruction_set.h"

namespace aisivi::server {
namespace {

constexpr int kMaxThreads = 1024;
constexpr int kMaxRunning = 256;
constexpr int kMaxQueued = 100'000;
// Twice this must be a message size that gRPC can express.
constexpr int kMaxRequestMb = 1000;
// Rows of a data set must fit an int32.
constexpr int kMaxDatasetMb = 1000;
// What a process of a Stan program takes before it does anything, and a terabyte.
constexpr int kMinStanMemoryMb = 256;
constexpr int kMaxStanMemoryMb = 1 << 20;

void AddFlags(ServerOptions* options, CLI::App* app) {
  app->add_option("--listen", options->listen, "Address of the gRPC server; port 0: any free one")
      ->capture_default_str();
  // Without a captured default, which would stand in for an empty value.
  app->add_option(
         "--metrics_listen", options->metrics_listen,
         absl::StrCat("Address where Prometheus scrapes /metrics; empty or none: nowhere [",
                      options->metrics_listen, "]"))
      ->expected(0, 1);
  app->add_option("--data_dir", options->data_dir,
                  absl::StrCat("Where fits and data sets are kept [", DefaultDataDir(), "]"));
  app->add_option("--port_file", options->port_file,
                  "File to write once the server listens: lines listen=HOST:PORT and "
                  "metrics_listen=HOST:PORT, with the ports that were chosen");
  app->add_option("--threads", options->threads, "Threads that compute; 0: one per core")
      ->check(CLI::Range(0, kMaxThreads))
      ->capture_default_str();
  app->add_option("--max_running", options->max_running, "Fits that run at once")
      ->check(CLI::Range(1, kMaxRunning))
      ->capture_default_str();
  app->add_option("--max_queued", options->max_queued, "Fits that may wait")
      ->check(CLI::Range(0, kMaxQueued))
      ->capture_default_str();
  app->add_option("--max_request_mb", options->max_request_mb, "Largest request, in MiB")
      ->check(CLI::Range(1, kMaxRequestMb))
      ->capture_default_str();
  app->add_option("--max_dataset_mb", options->max_dataset_mb, "Largest data set, in MiB")
      ->check(CLI::Range(1, kMaxDatasetMb))
      ->capture_default_str();
  app->add_option("--dataset_quota_bytes", options->dataset_quota_bytes,
                  "Bytes that all data sets together may take on disk; 0: none can be uploaded")
      ->check(CLI::Range(int64_t{0}, std::numeric_limits<int64_t>::max()))
      ->capture_default_str();
  app->add_option("--stan_home", options->stan_home,
                  "Folder of a CmdStan that was built; without it Stan is that of r-cran-rstan")
      ->type_name("DIR");
  app->add_option("--stan_sandbox", options->stan_sandbox,
                  "What Stan programs are compiled and run in: bwrap, or none (limits on memory, "
                  "time and system calls only)")
      ->check(CLI::IsMember({"bwrap", "none"}))
      ->capture_default_str();
  app->add_option("--stan_memory_mb", options->stan_memory_mb,
                  "Memory of each process that evaluates a Stan program, in MiB")
      ->check(CLI::Range(kMinStanMemoryMb, kMaxStanMemoryMb))
      ->capture_default_str();
  app->set_config("--config", "", "File of lines NAME = VALUE, names as above");
  app->allow_config_extras(false);
}

std::string OneLine(const std::string& text) {
  return absl::StrReplaceAll(absl::StripAsciiWhitespace(text), {{"\n", " "}});
}

}  // namespace

absl::StatusOr<ParsedFlags> ParseFlags(int argc, const char* const* argv) {
  ParsedFlags parsed;
  CLI::App app("Fits semi-implicit posteriors and serves them over gRPC.", "aisivi-server");
  AddFlags(&parsed.options, &app);
  bool version = false;
  app.add_flag("--version", version, "Print the version and exit")->configurable(false);
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    parsed.print_and_exit = app.help();
  } catch (const CLI::ParseError& error) {
    return absl::InvalidArgumentError(OneLine(error.what()));
  }
  if (version)
    parsed.print_and_exit =
        absl::StrCat("aisivi-server ", Version(), ", engine for ", EngineInstructionSet(), "\n");
  if (parsed.options.listen.empty()) {
    return absl::InvalidArgumentError("--listen: must not be empty");
  }
  if (parsed.options.metrics_listen == "none") parsed.options.metrics_listen.clear();
  if (parsed.options.data_dir.empty()) parsed.options.data_dir = DefaultDataDir();
  return parsed;
}

std::string DefaultDataDir() {
  const char* data_home = std::getenv("XDG_DATA_HOME");
  if (data_home != nullptr && *data_home == '/') return absl::StrCat(data_home, "/aisivi");
  const char* home = std::getenv("HOME");
  if (home != nullptr && *home == '/') return absl::StrCat(home, "/.local/share/aisivi");
  return "aisivi-data";
}

std::string Version() { return AISIVI_VERSION; }

}  // namespace aisivi::server
