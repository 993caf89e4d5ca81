// aisivi experiment.
#include <filesystem>
#include <memory>
#include <optional>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "client/cli/command.h"
#include "client/cli/interrupt.h"
#include "client/cli/output.h"
#include "client/experiments/registry.h"
#include "client/experiments/server_process.h"

namespace aisivi::cli {
namespace {

using experiments::ServerProcess;
using experiments::Settings;

struct ExperimentFlags {
  std::string name, size = "quick", out;
  Settings settings;
};

absl::Status MakeFolder(const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (!error) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("--out: ", folder.string(), ": ", error.message()));
}

// With a server of its own where none is named; it ends with this function.
absl::Status RunOnServer(const experiments::ExperimentEntry& entry, const Settings& settings,
                         const Globals& globals, const std::stop_token& stop) {
  std::string address = globals.server;
  std::unique_ptr<ServerProcess> own;
  if (!globals.server_named) {
    absl::StatusOr<std::unique_ptr<ServerProcess>> started =
        ServerProcess::Start(experiments::ServerBesideProgram(), settings.out, stop);
    if (!started.ok()) return started.status();
    own = *std::move(started);
    address = own->address();
  }
  const Client client(address);
  return entry.run({client, settings, stop, globals.json, own != nullptr ? own->pid() : 0});
}

absl::Status RunExperiment(const ExperimentFlags& flags, const Globals& globals) {
  const auto entry = experiments::FindExperiment(flags.name);
  if (!entry.ok()) return entry.status();
  Settings settings = flags.settings;
  settings.out = flags.out;
  settings.size = flags.size == "paper" ? experiments::Size::kPaper : experiments::Size::kQuick;
  absl::Status status = experiments::CheckFlags(**entry, settings);
  if (status.ok()) status = MakeFolder(settings.out);
  if (!status.ok()) return status;
  const InterruptToken interrupt;
  status = RunOnServer(**entry, settings, globals, interrupt.token());
  if (interrupt.token().stop_requested() && absl::IsCancelled(status)) {
    return Interrupted("stopped; the same command goes on where it stopped");
  }
  if (!status.ok()) return status;
  const std::string report = (settings.out / "report.md").string();
  return globals.json ? absl::OkStatus() : Print(absl::StrCat("report written to ", report, "\n"));
}

std::string Names() {
  std::string text;
  for (const experiments::ExperimentEntry& entry : experiments::ExperimentRegistry()) {
    absl::StrAppend(&text, "\n  ", entry.name, ": ", entry.doc);
  }
  return text;
}

}  // namespace

void AddExperimentCommand(CLI::App& app, const Globals& globals, Action* action) {
  const auto flags = std::make_shared<ExperimentFlags>();
  CLI::App* command = app.add_subcommand(
      "experiment", "An experiment of the paper: fits, tables, pictures and a report");
  command->add_option("NAME", flags->name, "Which one:" + Names())->required();
  command
      ->add_option("--out", flags->out, "Folder to write; a second run goes on with what is in it")
      ->type_name("DIR")
      ->required();
  command->add_option("--size", flags->size, "quick: minutes (default); paper: as published")
      ->check(CLI::IsMember({"quick", "paper"}));
  command->add_option("--seeds", flags->settings.seeds, "Seeds of each fit (default: by size)")
      ->type_name("N")
      ->check(AtLeast(1));
  command
      ->add_option("--set", flags->settings.set,
                   "A hyperparameter of every fit, for instance iterations=500")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
  command->add_option("--methods", flags->settings.methods, "Methods to compare")
      ->type_name("NAME,NAME,...")
      ->delimiter(',')
      ->allow_extra_args(false);
  command->add_option("--target", flags->settings.target, "Target to fit")->type_name("NAME");
  command
      ->add_option("--reference", flags->settings.reference,
                   "CSV of reference draws to measure against, one per line")
      ->type_name("FILE");
  command
      ->add_option("--data", flags->settings.data,
                   "CSV for a regression: response first, then the features")
      ->type_name("FILE");
  command->callback(
      [=, &globals] { *action = [=, &globals] { return RunExperiment(*flags, globals); }; });
}

}  // namespace aisivi::cli
