#include "client/cli/command.h"

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace aisivi::cli {
namespace {

constexpr char kInterrupted[] = "aisivi/interrupted";

}  // namespace

std::string FitName(const std::string& name_or_id) {
  return absl::StrContains(name_or_id, '/') ? name_or_id : absl::StrCat("fits/", name_or_id);
}

absl::Status Interrupted(absl::string_view message) {
  absl::Status status = absl::CancelledError(message);
  status.SetPayload(kInterrupted, absl::Cord());
  return status;
}

bool IsInterrupted(const absl::Status& status) {
  return status.GetPayload(kInterrupted).has_value();
}

CLI::Validator AtLeast(int64_t min) {
  const auto check = [min](const std::string& text) -> std::string {
    int64_t value;
    if (!absl::SimpleAtoi(text, &value)) return absl::StrCat("'", text, "' is not a whole number");
    return value < min ? absl::StrCat("must be at least ", min) : "";
  };
  return CLI::Validator(check, "");
}

void AddName(CLI::App* command, std::string* name) {
  command->add_option("NAME", *name, "The fit: fits/ID, or ID alone")->required();
}

void AddUnconstrained(CLI::App* command, bool* unconstrained) {
  command->add_flag("--unconstrained", *unconstrained,
                    "On the scale of z, in which the fit is made, instead of the parameters'");
}

}  // namespace aisivi::cli
