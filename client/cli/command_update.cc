// aisivi update.
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "client/cli/command.h"
#include "client/cli/output.h"
#include "client/cli/parameter.h"

namespace aisivi::cli {
namespace {

struct UpdateFlags {
  std::string name;
  std::optional<std::string> display_name;
  std::vector<std::string> labels;  // KEY=VALUE
  std::optional<double> expire_in;  // seconds; 0: never
};

// Labels are replaced as a whole on the wire; here one is set, or with an empty value removed.
absl::Status SetLabels(const std::vector<std::string>& assignments, v1::Fit* fit) {
  for (const std::string& assignment : assignments) {
    const auto pair = SplitAssignment("--label", assignment);
    if (!pair.ok()) return pair.status();
    if (pair->second.empty()) {
      fit->mutable_labels()->erase(pair->first);
    } else {
      (*fit->mutable_labels())[pair->first] = pair->second;
    }
  }
  return absl::OkStatus();
}

void SetExpiry(double seconds, v1::Fit* fit) {
  fit->clear_expire_time();
  if (seconds == 0) return;
  const int64_t nanos = absl::ToUnixNanos(absl::Now() + absl::Seconds(seconds));
  fit->mutable_expire_time()->set_seconds(nanos / 1'000'000'000);
  fit->mutable_expire_time()->set_nanos(static_cast<int32_t>(nanos % 1'000'000'000));
}

// The etag of what was read goes along: nobody's change in between is undone.
absl::Status Update(const UpdateFlags& flags, const Globals& globals) {
  const Client client(globals.server);
  absl::StatusOr<v1::Fit> fit = client.GetFit(FitName(flags.name));
  if (!fit.ok()) return fit.status();
  std::vector<std::string> paths;
  if (flags.display_name.has_value()) {
    fit->set_display_name(*flags.display_name);
    paths.emplace_back("display_name");
  }
  if (!flags.labels.empty()) {
    if (absl::Status status = SetLabels(flags.labels, &*fit); !status.ok()) return status;
    paths.emplace_back("labels");
  }
  if (flags.expire_in.has_value()) {
    SetExpiry(*flags.expire_in, &*fit);
    paths.emplace_back("expire_time");
  }
  if (paths.empty()) {
    return absl::InvalidArgumentError("--display_name: give it, --label or --expire_in");
  }
  fit = client.UpdateFit(*fit, paths);
  if (!fit.ok()) return fit.status();
  return globals.json ? PrintJson(*fit) : Print(DescribeFit(*fit));
}

}  // namespace

void AddUpdateCommand(CLI::App& app, const Globals& globals, Action* action) {
  const auto flags = std::make_shared<UpdateFlags>();
  CLI::App* command = app.add_subcommand("update", "Change a fit's name for people and its labels");
  AddName(command, &flags->name);
  command->add_option("--display_name", flags->display_name, "What people call it")
      ->type_name("TEXT");
  command->add_option("--label", flags->labels, "KEY=VALUE, or KEY= to remove it; may be repeated")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
  command
      ->add_option("--expire_in", flags->expire_in,
                   "Delete it after this time, once it has ended; 0: never")
      ->type_name("SECONDS")
      ->check(CLI::Range(0.0, 1e9));
  command->callback([=, &globals] { *action = [=, &globals] { return Update(*flags, globals); }; });
}

}  // namespace aisivi::cli
