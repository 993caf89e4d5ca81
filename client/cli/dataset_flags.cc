#include "client/cli/dataset_flags.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "client/cli/parameter.h"
#include "engine/data/csv_reader.h"

namespace aisivi::cli {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

void AddDatasetFlags(CLI::App* command, DatasetFlags* flags, const std::string& where) {
  command
      ->add_option("--dataset", flags->dataset,
                   where + "An uploaded data set, in place of --data; needs --response")
      ->type_name("NAME");
  command->add_option("--response", flags->response, where + "The column of the data set that is y")
      ->type_name("COLUMN");
  command
      ->add_option("--predictors", flags->predictors,
                   where + "The columns that are x, in that order (default: all others)")
      ->type_name("COLUMN,…");
  command->add_flag("--intercept", flags->intercept, where + "A column of ones before them");
}

std::string DatasetName(const std::string& name_or_id) {
  return absl::StrContains(name_or_id, '/') ? name_or_id : absl::StrCat("datasets/", name_or_id);
}

absl::StatusOr<std::vector<std::string>> SplitNames(absl::string_view text) {
  std::vector<std::string> names;
  CsvReader reader("--predictors", {.on_cell =
                                        [&names](const CsvCell& cell) {
                                          names.emplace_back(cell.text);
                                          return absl::OkStatus();
                                        },
                                    .on_record = [](int64_t, int) { return absl::OkStatus(); }});
  absl::Status status = reader.Feed(text);
  if (status.ok()) status = reader.Finish();
  if (!status.ok()) return status;
  return names;
}

absl::Status ApplyDataset(const DatasetFlags& flags, v1::Fit* fit) {
  const bool given = !flags.dataset.empty() || !flags.response.empty() ||
                     !flags.predictors.empty() || flags.intercept;
  if (!given) return absl::OkStatus();
  std::string path;
  Message* target = ChosenTarget(fit, &path);
  const Descriptor* descriptor = target == nullptr ? nullptr : target->GetDescriptor();
  if (descriptor == nullptr || descriptor->FindFieldByName("dataset") == nullptr) {
    return absl::InvalidArgumentError(
        descriptor == nullptr ? "--dataset: needs --target"
                              : absl::StrCat("--dataset: ", path, " takes no data set"));
  }
  const auto* reflection = target->GetReflection();
  const auto field = [descriptor](const char* name) { return descriptor->FindFieldByName(name); };
  if (!flags.dataset.empty()) {
    reflection->SetString(target, field("dataset"), DatasetName(flags.dataset));
  }
  if (!flags.response.empty()) reflection->SetString(target, field("response"), flags.response);
  if (flags.intercept) reflection->SetBool(target, field("intercept"), true);
  if (flags.predictors.empty()) return absl::OkStatus();
  const absl::StatusOr<std::vector<std::string>> names = SplitNames(flags.predictors);
  if (!names.ok()) return names.status();
  reflection->ClearField(target, field("predictors"));
  for (const std::string& name : *names) {
    reflection->AddString(target, field("predictors"), name);
  }
  return absl::OkStatus();
}

}  // namespace aisivi::cli
