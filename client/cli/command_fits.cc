// aisivi get, list, cancel, delete.
#include <memory>

#include "absl/strings/str_cat.h"
#include "client/cli/command.h"
#include "client/cli/output.h"
#include "client/cli/terminal.h"
#include "client/cli/verdict_view.h"
#include "client/names.h"

namespace aisivi::cli {
namespace {

absl::Status Get(const std::string& name, bool full, const Globals& globals) {
  const Client client(globals.server);
  const absl::StatusOr<v1::Fit> fit =
      full ? client.DownloadFit(FitName(name)) : client.GetFit(FitName(name));
  if (!fit.ok()) return fit.status();
  if (globals.json) return PrintJson(*fit);
  std::string text = DescribeFit(*fit);
  for (const std::string& line : fit->log()) {
    absl::StrAppend(&text, Styled(Style::kDim, absl::StrCat("  · ", Printable(line))), "\n");
  }
  return Print(text);
}

std::string EvidenceCell(const v1::Fit& fit) {
  if (!fit.has_evidence() || !fit.evidence().has_log_z()) return "-";
  const int decimals = DecimalsFor(fit.evidence().standard_error());
  return absl::StrCat(FormatFixed(fit.evidence().log_z(), decimals), " ± ",
                      FormatFixed(fit.evidence().standard_error(), decimals));
}

absl::Status ListFits(const std::string& filter, int64_t limit, const Globals& globals) {
  absl::StatusOr<std::vector<v1::Fit>> fits = Client(globals.server).ListFits(filter, limit);
  if (!fits.ok()) return fits.status();
  if (globals.json) {
    for (const v1::Fit& fit : *fits) {
      const absl::Status printed = PrintJson(fit);
      if (!printed.ok()) return printed;
    }
    return absl::OkStatus();
  }
  if (fits->empty()) return Print("no fits\n");
  Table table({"<NAME", "<STATE", "<TARGET", "<METHOD", "D", "TIME", "LOG EVIDENCE", "<VERDICT",
               "<CREATED"});
  for (v1::Fit& fit : *fits) {
    MakePrintable(&fit);
    table.AddRow(
        {fit.name(), Outcome(fit), TargetName(fit), MethodName(fit), absl::StrCat(fit.dimension()),
         FormatSeconds(RunSeconds(fit)), EvidenceCell(fit), GradeWord(fit.verdict().grade()),
         absl::FormatTime("%Y-%m-%d %H:%M:%S", absl::FromUnixSeconds(fit.create_time().seconds()),
                          absl::LocalTimeZone())});
  }
  return Print(table.ToString());
}

absl::Status Cancel(const std::string& name, const Globals& globals) {
  const absl::StatusOr<v1::Fit> fit = Client(globals.server).Cancel(FitName(name));
  if (!fit.ok()) return fit.status();
  return globals.json ? PrintJson(*fit)
                      : Print(absl::StrCat(Printable(fit->name()), "  ", Outcome(*fit), "\n"));
}

absl::Status DeleteFit(const std::string& name, const Globals& globals) {
  const absl::Status deleted = Client(globals.server).Delete(FitName(name));
  if (!deleted.ok()) return deleted;
  if (!globals.json) return Print(absl::StrCat(FitName(name), "  deleted\n"));
  v1::DeleteFitRequest request;
  request.set_name(FitName(name));
  return PrintJson(request);
}

}  // namespace

void AddGetCommand(CLI::App& app, const Globals& globals, Action* action) {
  struct Flags {
    std::string name;
    bool full = false;
  };
  const auto flags = std::make_shared<Flags>();
  CLI::App* command = app.add_subcommand("get", "Show a fit");
  AddName(command, &flags->name);
  command->add_flag("--full", flags->full, "With --json: the data of the target too");
  command->callback([=, &globals] {
    *action = [=, &globals] { return Get(flags->name, flags->full, globals); };
  });
}

void AddListCommand(CLI::App& app, const Globals& globals, Action* action) {
  struct Flags {
    std::string filter;
    int64_t limit = 50;
  };
  const auto flags = std::make_shared<Flags>();
  CLI::App* command = app.add_subcommand("list", "List the fits, newest first");
  command->add_option("--filter", flags->filter, "For instance state=RUNNING")->type_name("TEXT");
  command->add_option("--limit", flags->limit, "At most so many; 0: all (default 50)")
      ->type_name("N")
      ->check(AtLeast(0));
  command->callback([=, &globals] {
    *action = [=, &globals] { return ListFits(flags->filter, flags->limit, globals); };
  });
}

void AddCancelCommand(CLI::App& app, const Globals& globals, Action* action) {
  const auto name = std::make_shared<std::string>();
  CLI::App* command = app.add_subcommand("cancel", "End a queued or running fit");
  AddName(command, name.get());
  command->callback([=, &globals] { *action = [=, &globals] { return Cancel(*name, globals); }; });
}

void AddDeleteCommand(CLI::App& app, const Globals& globals, Action* action) {
  const auto name = std::make_shared<std::string>();
  CLI::App* command = app.add_subcommand("delete", "Delete a fit that has ended");
  AddName(command, name.get());
  command->callback(
      [=, &globals] { *action = [=, &globals] { return DeleteFit(*name, globals); }; });
}

}  // namespace aisivi::cli
