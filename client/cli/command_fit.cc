// aisivi fit, aisivi watch.
#include <memory>

#include "absl/strings/str_cat.h"
#include "client/cli/command.h"
#include "client/cli/fit_request.h"
#include "client/cli/output.h"
#include "client/cli/terminal.h"
#include "client/cli/wait.h"

namespace aisivi::cli {
namespace {

absl::Status PrintDetached(const v1::Fit& fit, const Globals& globals) {
  if (globals.json) return PrintJson(fit);
  std::string text = Printable(fit.name()) + "\n";
  if (IsTerminal()) {
    absl::StrAppend(
        &text, Styled(Style::kDim, absl::StrCat("Follow it: aisivi watch ", Printable(fit.name()))),
        "\n");
  }
  return Print(text);
}

absl::Status RunFit(const FitFlags& flags, bool detach, bool validate_only,
                    const Globals& globals) {
  const absl::StatusOr<v1::Fit> fit = BuildFit(flags);
  if (!fit.ok()) return fit.status();
  const Client client(globals.server);
  const absl::StatusOr<v1::Fit> created = client.CreateFit(*fit, "", validate_only);
  if (!created.ok()) return created.status();
  if (validate_only) return globals.json ? PrintJson(*created) : Print("valid\n");
  if (detach) return PrintDetached(*created, globals);
  return WaitForFit(client, created->name(), globals);
}

}  // namespace

void AddFitCommand(CLI::App& app, const Globals& globals, Action* action) {
  struct Flags {
    FitFlags fit;
    uint64_t seed = 1;
    bool detach = false;
    bool validate_only = false;
  };
  const auto flags = std::make_shared<Flags>();
  CLI::App* command = app.add_subcommand("fit", "Fit a posterior, and wait for it");
  command
      ->add_option("--target", flags->fit.target.target, "What to fit; aisivi targets lists them")
      ->type_name("NAME");
  command
      ->add_option("--param", flags->fit.target.params,
                   "A parameter of the target: 0.1, vector 1,2, matrix 1,0;0,1")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
  command
      ->add_option("--data", flags->fit.target.data,
                   "CSV for the regression targets: response first, then the features; for "
                   "--stan JSON, as CmdStan reads it")
      ->type_name("FILE");
  command->add_option("--stan", flags->fit.target.stan, "A Stan program, in place of --target")
      ->type_name("FILE");
  AddDatasetFlags(command, &flags->fit.target.dataset);
  command->add_option("--spec", flags->fit.spec, "The fit as JSON; - reads standard input")
      ->type_name("FILE");
  command
      ->add_option("--method", flags->fit.method,
                   "aisivi, bsivi, iwhvi, uivi, sivi, ksivi, kpg, kpg_is, pvi; gaussian: the best "
                   "Gaussian, no training; "
                   "reference: draws by sequential Monte Carlo, to compare with")
      ->type_name("NAME");
  command->add_option("--preset", flags->fit.preset, "Published settings")->type_name("NAME");
  command->add_option("--set", flags->fit.set, "A hyperparameter, for instance iterations=500")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
  command
      ->add_option("--time_limit", flags->fit.time_limit,
                   "End after so many seconds with the best state so far")
      ->type_name("SECONDS");
  command
      ->add_option("--restarts", flags->fit.restarts,
                   "Fit N times over, keep the best, compare them")
      ->type_name("N");
  const CLI::Option* seed =
      command->add_option("--seed", flags->seed, "Names all random numbers (default 1)")
          ->type_name("N");
  command->add_option("--display_name", flags->fit.display_name, "Free text for people")
      ->type_name("TEXT");
  command->add_flag("--detach", flags->detach, "Print the name and do not wait");
  command->add_flag("--validate_only", flags->validate_only, "Only check, fit nothing");
  command->callback([=, &globals] {
    if (seed->count() > 0) flags->fit.seed = flags->seed;
    *action = [=, &globals] {
      return RunFit(flags->fit, flags->detach, flags->validate_only, globals);
    };
  });
}

void AddWatchCommand(CLI::App& app, const Globals& globals, Action* action) {
  const auto name = std::make_shared<std::string>();
  CLI::App* command = app.add_subcommand("watch", "Follow a fit to its end");
  AddName(command, name.get());
  command->callback([=, &globals] {
    *action = [=, &globals] { return WaitForFit(Client(globals.server), FitName(*name), globals); };
  });
}

}  // namespace aisivi::cli
