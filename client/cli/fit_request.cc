#include "client/cli/fit_request.h"

#include <google/protobuf/util/json_util.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "client/cli/data_csv.h"
#include "client/cli/parameter.h"
#include "client/cli/settings.h"

namespace aisivi::cli {
namespace {

// The file that `option` names, whole.
absl::StatusOr<std::string> ReadText(absl::string_view option, const std::string& file) {
  const auto failed = [&](int error) {
    return absl::InvalidArgumentError(absl::StrCat(option, ": ", file, ": ", std::strerror(error)));
  };
  std::error_code ignored;
  if (std::filesystem::is_directory(file, ignored)) return failed(EISDIR);
  errno = 0;
  std::ifstream stream(file, std::ios::binary);
  if (!stream) return failed(errno == 0 ? ENOENT : errno);
  std::string text((std::istreambuf_iterator<char>(stream)), std::istreambuf_iterator<char>());
  if (stream.bad()) return failed(EIO);
  return text;
}

// --stan, and --data as far as it is a Stan program's.
absl::Status ApplyStan(const TargetFlags& flags, v1::Fit* fit) {
  if (!flags.stan.empty()) {
    absl::StatusOr<std::string> program = ReadText("--stan", flags.stan);
    if (!program.ok()) return program.status();
    if (!flags.target.empty() && flags.target != "stan") {
      return absl::InvalidArgumentError(
          absl::StrCat("--stan: is itself the target; leave out ", flags.target));
    }
    fit->mutable_target()->mutable_stan()->set_program(*std::move(program));
  }
  if (!fit->target().has_stan() || flags.data.empty()) return absl::OkStatus();
  absl::StatusOr<std::string> data = ReadText("--data", flags.data);
  if (!data.ok()) return data.status();
  fit->mutable_target()->mutable_stan()->set_data(*std::move(data));
  return absl::OkStatus();
}

absl::Status ReadSpec(const std::string& file, v1::Fit* fit) {
  std::ifstream stream;
  if (file != "-") {
    errno = 0;
    stream.open(file);
    if (!stream) {
      return absl::InvalidArgumentError(absl::StrCat("--spec: ", file, ": ", std::strerror(errno)));
    }
  }
  std::istream& input = file == "-" ? std::cin : stream;
  const std::string json((std::istreambuf_iterator<char>(input)), std::istreambuf_iterator<char>());
  const auto status = google::protobuf::util::JsonStringToMessage(json, fit);
  if (!status.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat("--spec: ", file, ": ", std::string(status.message())));
  }
  return absl::OkStatus();
}

absl::Status ApplyAssignments(absl::string_view option, const std::vector<std::string>& assignments,
                              absl::string_view path, google::protobuf::Message* message) {
  for (const std::string& assignment : assignments) {
    const auto pair = SplitAssignment(option, assignment);
    if (!pair.ok()) return pair.status();
    const absl::Status set = SetField(path, pair->first, pair->second, message);
    if (!set.ok()) return set;
  }
  return absl::OkStatus();
}

absl::Status ApplySettings(const std::vector<std::string>& assignments, v1::Fit* fit) {
  for (const std::string& assignment : assignments) {
    const auto pair = SplitAssignment("--set", assignment);
    if (!pair.ok()) return pair.status();
    const absl::Status set = SetSetting(pair->first, pair->second, fit);
    if (!set.ok()) return set;
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status ApplyTarget(const TargetFlags& flags, v1::Fit* fit) {
  if (absl::Status status = ApplyStan(flags, fit); !status.ok()) return status;
  if (!flags.target.empty()) {
    const absl::Status chosen = ChooseTarget(flags.target, fit);
    if (!chosen.ok()) return chosen;
  }
  std::string path;
  google::protobuf::Message* target = ChosenTarget(fit, &path);
  if (target == nullptr) {
    return absl::InvalidArgumentError("fit.target: give --target NAME, --stan FILE or --spec FILE");
  }
  const absl::Status assigned = ApplyAssignments("--param", flags.params, path, target);
  if (!assigned.ok()) return assigned;
  if (absl::Status status = ApplyDataset(flags.dataset, fit); !status.ok()) return status;
  return flags.data.empty() || fit->target().has_stan() ? absl::OkStatus()
                                                        : ReadDataFile(flags.data, fit);
}

absl::StatusOr<v1::Fit> BuildFit(const FitFlags& flags) {
  v1::Fit fit;
  absl::Status status;
  if (!flags.spec.empty()) status = ReadSpec(flags.spec, &fit);
  if (status.ok()) status = ApplyTarget(flags.target, &fit);
  if (status.ok()) {
    std::vector<std::string> set = flags.set;
    if (!flags.time_limit.empty()) set.push_back(absl::StrCat("time_limit=", flags.time_limit));
    if (!flags.restarts.empty()) set.push_back(absl::StrCat("restarts=", flags.restarts));
    if (!flags.preset.empty()) fit.set_preset(flags.preset);
    if (!flags.method.empty()) status = ChooseMethod(flags.method, &fit);
    if (status.ok()) status = ApplySettings(set, &fit);
  }
  if (!status.ok()) return status;
  if (flags.seed.has_value()) fit.set_seed(*flags.seed);
  if (!flags.display_name.empty()) fit.set_display_name(flags.display_name);
  return fit;
}

}  // namespace aisivi::cli
