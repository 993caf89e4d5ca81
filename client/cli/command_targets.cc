// aisivi targets.
#include <memory>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "client/cli/command.h"
#include "client/cli/fit_request.h"
#include "client/cli/output.h"
#include "client/cli/terminal.h"

namespace aisivi::cli {
namespace {

// Lines of at most `width` columns, the second and further ones indented.
std::string Wrap(const std::string& text, int indent, int width) {
  std::string wrapped;
  int column = indent;
  for (const absl::string_view word :
       absl::StrSplit(text, absl::ByAnyChar(" \n"), absl::SkipEmpty())) {
    const int length = DisplayWidth(word);
    if (column > indent && column + 1 + length > width) {
      absl::StrAppend(&wrapped, "\n", std::string(indent, ' '));
      column = indent;
    } else if (column > indent) {
      wrapped += ' ';
      ++column;
    }
    absl::StrAppend(&wrapped, word);
    column += length;
  }
  return wrapped;
}

std::string KnownLogZ(const v1::TargetInfo& target) {
  return target.has_known_log_z() ? FormatNumber(target.known_log_z()) : "-";
}

absl::Status PrintList(const std::vector<v1::TargetInfo>& targets) {
  Table table({"<TARGET", "<DIMENSION", "LOG Z", "<PARAMETERS"});
  for (const v1::TargetInfo& target : targets) {
    std::vector<std::string> names;
    for (const auto& parameter : target.parameters()) {
      names.push_back(parameter.required() ? parameter.name() + "*" : parameter.name());
    }
    table.AddRow({target.name(), target.dimension_rule(), KnownLogZ(target),
                  names.empty() ? "-" : absl::StrJoin(names, ", ")});
  }
  return Print(absl::StrCat(
      table.ToString(), Styled(Style::kDim, "* required; aisivi targets NAME says more"), "\n"));
}

absl::Status PrintOne(const v1::TargetInfo& target) {
  const int width = std::min(100, TerminalWidth());
  std::string text =
      absl::StrCat(Styled(Style::kBold, target.name()), "\n  ", Wrap(target.doc(), 2, width),
                   "\n  dimension: ", target.dimension_rule(), "\n");
  if (target.has_known_log_z()) absl::StrAppend(&text, "  log Z: ", KnownLogZ(target), "\n");
  for (const v1::TargetParameter& parameter : target.parameters()) {
    const std::string fallback =
        parameter.required() ? "required" : absl::StrCat("default ", parameter.default_value());
    absl::StrAppend(&text, "  --param ", Styled(Style::kBold, parameter.name()), "=…  (", fallback,
                    ")\n      ", Wrap(parameter.doc(), 6, width), "\n");
  }
  if (!target.unavailable().empty()) {
    absl::StrAppend(&text, "  not on this server: ", Wrap(target.unavailable(), 2, width), "\n");
  }
  if (target.takes_dataset()) {
    absl::StrAppend(&text, "  --dataset ", Styled(Style::kBold, "NAME"),
                    " --response COLUMN  (in place of x and y)\n");
  }
  return Print(text);
}

absl::Status ListTargets(const std::string& name, const Globals& globals) {
  absl::StatusOr<std::vector<v1::TargetInfo>> targets = Client(globals.server).Targets();
  if (!targets.ok()) return targets.status();
  if (!globals.json) {
    for (v1::TargetInfo& target : *targets) MakePrintable(&target);
  }
  bool found = name.empty();
  for (const v1::TargetInfo& target : *targets) {
    if (!name.empty() && target.name() != name) continue;
    found = true;
    if (!globals.json && name.empty()) break;
    const absl::Status printed = globals.json ? PrintJson(target) : PrintOne(target);
    if (!printed.ok()) return printed;
  }
  if (!found) return absl::NotFoundError(absl::StrCat("NAME: no target is called '", name, "'"));
  return globals.json || !name.empty() ? absl::OkStatus() : PrintList(*targets);
}

absl::Status PrintVersion(const Globals& globals) {
  absl::StatusOr<v1::EngineInfo> engine = Client(globals.server).Engine();
  if (!engine.ok()) return engine.status();
  if (globals.json) return PrintJson(*engine);
  MakePrintable(&*engine);
  return Print(absl::StrCat("aisivi-server ", engine->version(), ", engine for ",
                            engine->instruction_set(), ", numbers ", engine->numeric_fingerprint(),
                            "\n"));
}

absl::Status PrintCheck(const std::string& name, const v1::CheckTargetResponse& check) {
  return Print(absl::StrCat(
      name, ": ", check.dimension(), " dimensions, scores and ", "finite differences agree to ",
      FormatNumber(check.max_relative_error(), 2), " (relative) at ", check.points().rows(),
      " points\nparameters: ", DescribeVariables(check.variables()), "\n"));
}

absl::Status Check(const TargetFlags& flags, const Globals& globals) {
  v1::Fit fit;
  const absl::Status applied = ApplyTarget(flags, &fit);
  if (!applied.ok()) return applied;
  const std::string name = TargetName(fit);
  const absl::StatusOr<v1::CheckTargetResponse> check =
      Client(globals.server).CheckTarget(fit.target(), Eigen::MatrixXd());
  if (!check.ok()) return check.status();
  const absl::Status printed = globals.json ? PrintJson(*check) : PrintCheck(name, *check);
  if (!printed.ok()) return printed;
  return check->passed() ? absl::OkStatus()
                         : absl::FailedPreconditionError(
                               absl::StrCat(name, ": the scores are not the gradient"));
}

}  // namespace

void AddTargetsCommand(CLI::App& app, const Globals& globals, Action* action) {
  struct Flags {
    TargetFlags target;
    bool check = false;
    bool version = false;
  };
  const auto flags = std::make_shared<Flags>();
  CLI::App* command = app.add_subcommand("targets", "What can be fitted, with its parameters");
  command->add_option("NAME", flags->target.target, "Only this one, in full");
  command->add_flag("--check", flags->check, "Compare its scores with finite differences");
  command->add_flag("--version", flags->version, "What the server is, and what its engine uses");
  command->add_option("--param", flags->target.params, "With --check: as in aisivi fit")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
  command->add_option("--data", flags->target.data, "With --check: as in aisivi fit")
      ->type_name("FILE");
  command->add_option("--stan", flags->target.stan, "With --check: as in aisivi fit")
      ->type_name("FILE");
  AddDatasetFlags(command, &flags->target.dataset, "With --check: ");
  command->callback([=, &globals] {
    *action = [=, &globals] {
      if (flags->version) return PrintVersion(globals);
      return flags->check ? Check(flags->target, globals)
                          : ListTargets(flags->target.target, globals);
    };
  });
}

}  // namespace aisivi::cli
