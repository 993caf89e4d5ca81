// The commands of `aisivi`: each Add…() adds one subcommand and, when it is the one asked for, sets
// the action that main() runs.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "client/client.h"

namespace aisivi::cli {

// What every command knows.
struct Globals {
  std::string server = "127.0.0.1:50051";
  bool server_named = false;  // by --server or $AISIVI_SERVER
  bool json = false;
};

using Action = std::function<absl::Status()>;

// "fits/ID" from "fits/ID" or "ID".
std::string FitName(const std::string& name_or_id);

// A status that means "stopped by Ctrl-C": main() prints its message and exits with 130.
absl::Status Interrupted(absl::string_view message);
bool IsInterrupted(const absl::Status& status);

// Accepts numbers of at least `min`.
CLI::Validator AtLeast(int64_t min);

// Adds the required NAME argument of a command about one fit.
void AddName(CLI::App* command, std::string* name);

// Adds --unconstrained.
void AddUnconstrained(CLI::App* command, bool* unconstrained);

void AddFitCommand(CLI::App& app, const Globals& globals, Action* action);
void AddWatchCommand(CLI::App& app, const Globals& globals, Action* action);
void AddGetCommand(CLI::App& app, const Globals& globals, Action* action);
void AddUpdateCommand(CLI::App& app, const Globals& globals, Action* action);
void AddListCommand(CLI::App& app, const Globals& globals, Action* action);
void AddCancelCommand(CLI::App& app, const Globals& globals, Action* action);
void AddDeleteCommand(CLI::App& app, const Globals& globals, Action* action);
void AddDrawsCommand(CLI::App& app, const Globals& globals, Action* action);
void AddSummaryCommand(CLI::App& app, const Globals& globals, Action* action);
void AddEvidenceCommand(CLI::App& app, const Globals& globals, Action* action);
void AddLogqCommand(CLI::App& app, const Globals& globals, Action* action);
void AddPlotCommand(CLI::App& app, const Globals& globals, Action* action);
void AddTargetsCommand(CLI::App& app, const Globals& globals, Action* action);
void AddDatasetsCommand(CLI::App& app, const Globals& globals, Action* action);
void AddExperimentCommand(CLI::App& app, const Globals& globals, Action* action);

}  // namespace aisivi::cli
