// aisivi: the command line. Exit code 0 only on success, 2 for a wrong command line, 130 after
// Ctrl-C, 1 for everything else; errors take one line of standard error.
#include <CLI/CLI.hpp>
#include <cstdlib>
#include <iostream>

#include "absl/strings/match.h"
#include "client/cli/command.h"
#include "client/cli/output.h"

namespace aisivi::cli {
namespace {

constexpr char kFooter[] =
    "The server is --server, else $AISIVI_SERVER, else 127.0.0.1:50051; experiment starts one of\n"
    "its own instead of the last.\n"
    "aisivi COMMAND --help says more about a command.";

void Complain(const std::string& text) { std::cerr << "aisivi: " << text << std::endl; }

void AddCommands(CLI::App& app, const Globals& globals, Action* action) {
  AddFitCommand(app, globals, action);
  AddWatchCommand(app, globals, action);
  AddGetCommand(app, globals, action);
  AddListCommand(app, globals, action);
  AddCancelCommand(app, globals, action);
  AddUpdateCommand(app, globals, action);
  AddDeleteCommand(app, globals, action);
  AddDrawsCommand(app, globals, action);
  AddSummaryCommand(app, globals, action);
  AddEvidenceCommand(app, globals, action);
  AddLogqCommand(app, globals, action);
  AddPlotCommand(app, globals, action);
  AddTargetsCommand(app, globals, action);
  AddDatasetsCommand(app, globals, action);
  AddExperimentCommand(app, globals, action);
}

// CLI11 says only that a command is missing; people want to know which word was not one.
std::string ParseMessage(const CLI::App& app, const CLI::ParseError& error) {
  if (app.get_subcommands().empty()) {
    for (const std::string& word : app.remaining()) {
      if (!word.empty() && word[0] != '-') return "COMMAND: no command is called '" + word + "'";
    }
  }
  return error.what();
}

int Finish(const absl::Status& status, const Globals& globals) {
  if (status.ok()) return 0;
  if (IsInterrupted(status)) {
    Complain(std::string(status.message()));
    return 130;
  }
  if (absl::IsUnavailable(status) && absl::StartsWith(status.message(), "failed to connect")) {
    Complain("UNAVAILABLE: --server: nothing answers at " + globals.server +
             "; is aisivi-server running?");
  } else {
    Complain(Lines(status));
  }
  return 1;
}

int Main(int argc, char** argv) {
  // gRPC's own messages are not for people.
  setenv("GRPC_VERBOSITY", "NONE", 0);
  Globals globals;
  if (const char* server = std::getenv("AISIVI_SERVER"); server != nullptr && *server != '\0') {
    globals.server = server;
    globals.server_named = true;
  }
  Action action;
  CLI::App app("Semi-implicit variational inference as a service", "aisivi");
  app.set_version_flag("--version", "aisivi " AISIVI_VERSION);
  const CLI::Option* named = app.add_option("--server", globals.server, "Where the server listens")
                                 ->type_name("HOST:PORT");
  app.add_flag("--json", globals.json, "Print JSON objects, one per line");
  app.footer(kFooter);
  app.fallthrough();
  AddCommands(app, globals, &action);
  app.require_subcommand(1);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& success) {
    return app.exit(success);
  } catch (const CLI::ParseError& error) {
    Complain(OneLine(absl::InvalidArgumentError(ParseMessage(app, error))));
    return 2;
  }
  globals.server_named = globals.server_named || named->count() > 0;
  return Finish(action(), globals);
}

}  // namespace
}  // namespace aisivi::cli

int main(int argc, char** argv) {
  try {
    return aisivi::cli::Main(argc, argv);
  } catch (const std::exception& error) {
    std::cerr << "aisivi: INTERNAL: " << error.what() << std::endl;
    return 1;
  }
}
