#include "server/convert/target_data.h"

#include <algorithm>
#include <span>
#include <unordered_map>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "engine/data/csv_table.h"
#include "engine/targets/parameters.h"
#include "google/protobuf/message.h"
#include "server/convert/target_spec.h"
#include "server/status.h"
#include "server/store/dataset_name.h"
#include "server/text.h"

namespace aisivi::server {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

constexpr char kIntercept[] = "intercept";
constexpr size_t kListedColumns = 10;
constexpr size_t kMostErrors = 32;  // more than an answer has room for

// What a target says about its data.
struct Naming {
  std::string dataset;
  std::string response;
  std::vector<std::string> predictors;
  bool intercept = false;
};

// Which columns of a table become what, and by which names.
struct Choice {
  size_t response = 0;
  std::vector<size_t> predictors;
};

const Message* ChosenMessage(const v1::TargetSpec& spec) {
  const auto* oneof = v1::TargetSpec::descriptor()->FindOneofByName("target");
  const FieldDescriptor* chosen = spec.GetReflection()->GetOneofFieldDescriptor(spec, oneof);
  return chosen == nullptr ? nullptr : &spec.GetReflection()->GetMessage(spec, chosen);
}

// Of the target that is set.
std::string PathOf(const v1::TargetSpec& spec, absl::string_view field) {
  return absl::StrCat(field, ".", TargetName(spec));
}

bool IsSet(const Message& message, const char* name) {
  const FieldDescriptor* field = message.GetDescriptor()->FindFieldByName(name);
  if (field == nullptr) return false;
  const Reflection* reflection = message.GetReflection();
  return field->is_repeated() ? reflection->FieldSize(message, field) > 0
                              : reflection->HasField(message, field);
}

Naming NamingOf(const Message& message) {
  const Descriptor* descriptor = message.GetDescriptor();
  const Reflection* reflection = message.GetReflection();
  Naming naming;
  naming.dataset = reflection->GetString(message, descriptor->FindFieldByName("dataset"));
  naming.response = reflection->GetString(message, descriptor->FindFieldByName("response"));
  naming.intercept = reflection->GetBool(message, descriptor->FindFieldByName("intercept"));
  const FieldDescriptor* predictors = descriptor->FindFieldByName("predictors");
  for (int i = 0; i < reflection->FieldSize(message, predictors); ++i) {
    naming.predictors.push_back(reflection->GetRepeatedString(message, predictors, i));
  }
  return naming;
}

// One form or the other. True when it is the data set.
absl::StatusOr<bool> NamesDataset(const Message& message, const std::string& path) {
  if (!IsSet(message, "dataset")) {
    for (const char* name : {"response", "predictors", "intercept"}) {
      if (IsSet(message, name)) {
        return FieldError(absl::StrCat(path, ".", name), "needs dataset; x is taken as it is");
      }
    }
    return false;
  }
  for (const char* name : {"x", "y"}) {
    if (IsSet(message, name)) {
      return FieldError(absl::StrCat(path, ".dataset"),
                        absl::StrCat("stands for x and y, and ", name, " is given as well"));
    }
  }
  return true;
}

std::string Listed(const v1::Dataset& dataset) {
  std::string names;
  const auto count = static_cast<size_t>(dataset.columns_size());
  for (size_t c = 0; c < std::min(count, kListedColumns); ++c) {
    absl::StrAppend(&names, c == 0 ? "" : ", ", dataset.columns(static_cast<int>(c)).name());
  }
  return count > kListedColumns ? absl::StrCat(names, ", …") : names;
}

// The column of each predictor, by default all but the response.
absl::StatusOr<Choice> ChooseColumns(const Naming& naming, const v1::Dataset& dataset,
                                     const std::string& path) {
  std::unordered_map<std::string, size_t> places;
  for (const v1::Dataset::Column& column : dataset.columns()) {
    places.emplace(column.name(), places.size());
  }
  const auto unknown = [&](const std::string& field, const std::string& name) {
    return FieldError(field, absl::StrCat(dataset.name(), " has no column ", Quoted(name),
                                          "; its columns are ", Listed(dataset)));
  };
  Choice choice;
  choice.response = places.size();  // none
  std::vector<absl::Status> errors;
  const std::string response_field = absl::StrCat(path, ".response");
  const auto response = places.find(naming.response);
  if (naming.response.empty()) {
    errors.push_back(FieldError(response_field, "is required with dataset"));
  } else if (response == places.end()) {
    errors.push_back(unknown(response_field, naming.response));
  } else {
    choice.response = response->second;
  }
  std::vector<bool> taken(places.size() + 1);
  taken[choice.response] = true;
  for (size_t i = 0; i < naming.predictors.size() && errors.size() < kMostErrors; ++i) {
    const std::string field = absl::StrCat(path, ".predictors[", i, "]");
    const auto place = places.find(naming.predictors[i]);
    if (place == places.end()) {
      errors.push_back(unknown(field, naming.predictors[i]));
      continue;
    }
    if (taken[place->second]) {
      errors.push_back(FieldError(
          field, absl::StrCat(Quoted(naming.predictors[i]), place->second == choice.response
                                                                ? " is the response"
                                                                : " is a predictor already")));
    }
    taken[place->second] = true;
    choice.predictors.push_back(place->second);
  }
  if (absl::Status status = AllErrors(errors); !status.ok()) return status;
  for (size_t c = 0; c < places.size() && naming.predictors.empty(); ++c) {
    if (c != choice.response) choice.predictors.push_back(c);
  }
  return choice;
}

absl::Status NameColumns(const Naming& naming, const Choice& choice, const v1::Dataset& dataset,
                         const std::string& path, TargetData* data) {
  data->response = naming.response;
  if (naming.intercept) data->columns.emplace_back(kIntercept);
  for (const size_t c : choice.predictors) {
    data->columns.push_back(dataset.columns(static_cast<int>(c)).name());
    if (naming.intercept && data->columns.back() == kIntercept) {
      return FieldError(absl::StrCat(path, ".intercept"),
                        "a predictor is called \"intercept\" already");
    }
  }
  if (data->columns.empty()) {
    return FieldError(absl::StrCat(path, ".predictors"),
                      absl::StrCat(dataset.name(), " has no column beside the response"));
  }
  const double numbers =
      static_cast<double>(dataset.rows()) * static_cast<double>(data->columns.size() + 1);
  if (data->columns.size() > kMaxDimension || numbers > kMaxNumbers) {
    return FieldError(absl::StrCat(path, ".predictors"),
                      absl::StrCat("are too many: ", data->columns.size(), " columns of ",
                                   dataset.rows(), " rows; at most ", kMaxDimension,
                                   " columns and ", kMaxNumbers, " numbers can be fitted"));
  }
  return absl::OkStatus();
}

// The bytes are those that were parsed when they came: what is wrong with them now is damage.
absl::Status ReadColumns(const Choice& choice, bool intercept, DatasetContent& content,
                         TargetData* data) {
  const auto rows = static_cast<Eigen::Index>(content.dataset().rows());
  const auto columns = static_cast<size_t>(content.dataset().columns_size());
  const Eigen::Index first = intercept ? 1 : 0;
  data->x.resize(rows, first + static_cast<Eigen::Index>(choice.predictors.size()));
  data->y.resize(rows);
  if (intercept) data->x.col(0).setOnes();
  Eigen::Index row = 0;
  CsvTableReader table({.source = "", .header_required = true}, [&](std::span<const double> cells) {
    if (row == rows || cells.size() != columns) return absl::DataLossError("another table");
    data->y[row] = cells[choice.response];
    for (size_t c = 0; c < choice.predictors.size(); ++c) {
      data->x(row, first + static_cast<Eigen::Index>(c)) = cells[choice.predictors[c]];
    }
    ++row;
    return absl::OkStatus();
  });
  absl::Status parsed;
  while (true) {
    const absl::StatusOr<absl::string_view> block = content.Next();
    if (!block.ok()) return block.status();
    if (block->empty()) break;
    if (parsed.ok()) parsed = table.Feed(*block);
  }
  if (parsed.ok()) parsed = table.Finish();
  if (parsed.ok() && row == rows) return absl::OkStatus();
  return absl::DataLossError(
      absl::StrCat(content.dataset().name(), " cannot be read any more: ", parsed.message()));
}

absl::Status AtDataset(const absl::Status& status, const std::string& path,
                       const std::string& name) {
  const std::string field = absl::StrCat(path, ".dataset");
  if (absl::IsNotFound(status)) return DatasetNotFound(field, name);
  return absl::Status(status.code(), absl::StrCat(field, ": ", status.message()));
}

absl::StatusOr<std::string> DatasetIdOf(const Naming& naming, const std::string& path,
                                        const DatasetStore* datasets) {
  const std::string field = absl::StrCat(path, ".dataset");
  if (datasets == nullptr) return FieldError(field, "there are no data sets here");
  return ParseDatasetName(naming.dataset, field);
}

}  // namespace

bool SaysWhereDataAre(const FieldDescriptor* field) {
  return field->cpp_type() == FieldDescriptor::CPPTYPE_STRING ||
         field->cpp_type() == FieldDescriptor::CPPTYPE_BOOL;
}

bool TakesDataset(absl::string_view target) {
  const FieldDescriptor* field = v1::TargetSpec::descriptor()->FindFieldByName(std::string(target));
  return field != nullptr && field->message_type()->FindFieldByName("dataset") != nullptr;
}

std::string DatasetOf(const v1::TargetSpec& spec) {
  const Message* message = ChosenMessage(spec);
  return message == nullptr || !IsSet(*message, "dataset") ? "" : NamingOf(*message).dataset;
}

absl::StatusOr<DatasetLease> LeaseDatasetOf(const v1::TargetSpec& spec, absl::string_view field,
                                            DatasetStore* datasets) {
  const Message* message = ChosenMessage(spec);
  if (message == nullptr || !IsSet(*message, "dataset")) return DatasetLease();
  const Naming naming = NamingOf(*message);
  const std::string path = PathOf(spec, field);
  absl::StatusOr<std::string> id = DatasetIdOf(naming, path, datasets);
  if (!id.ok()) return id.status();
  absl::StatusOr<DatasetLease> lease = datasets->Lease(*id);
  if (!lease.ok()) return AtDataset(lease.status(), path, naming.dataset);
  return lease;
}

absl::StatusOr<std::optional<TargetData>> ReadTargetData(const v1::TargetSpec& spec,
                                                         absl::string_view field,
                                                         DatasetStore* datasets) {
  const Message* message = ChosenMessage(spec);
  if (message == nullptr) return std::nullopt;
  const std::string path = PathOf(spec, field);
  const absl::StatusOr<bool> named = NamesDataset(*message, path);
  if (!named.ok()) return named.status();
  if (!*named) return std::nullopt;
  const Naming naming = NamingOf(*message);
  absl::StatusOr<std::string> id = DatasetIdOf(naming, path, datasets);
  if (!id.ok()) return id.status();
  absl::StatusOr<DatasetContent> content = datasets->Content(*id);
  if (!content.ok()) return AtDataset(content.status(), path, naming.dataset);
  absl::StatusOr<Choice> choice = ChooseColumns(naming, content->dataset(), path);
  if (!choice.ok()) return choice.status();
  TargetData data;
  absl::Status status = NameColumns(naming, *choice, content->dataset(), path, &data);
  if (!status.ok()) return status;
  status = ReadColumns(*choice, naming.intercept, *content, &data);
  if (!status.ok()) return AtDataset(status, path, naming.dataset);
  return data;
}

absl::Status AtColumns(const TargetData& data, absl::string_view path, const absl::Status& error) {
  absl::string_view text = error.message();
  if (absl::IsInvalidArgument(error) && absl::ConsumePrefix(&text, "y: ")) {
    return FieldError(absl::StrCat(path, ".response"),
                      absl::StrCat("column ", Quoted(data.response), ": ", text));
  }
  if (absl::IsInvalidArgument(error) && absl::ConsumePrefix(&text, "x: ")) {
    return FieldError(absl::StrCat(path, ".predictors"), text);
  }
  return AtField(path, error);
}

double TargetNumbers(const v1::TargetSpec& spec, DatasetStore* datasets) {
  const absl::StatusOr<std::string> id = ParseDatasetName(DatasetOf(spec), "dataset");
  if (id.ok() && datasets != nullptr) {
    const absl::StatusOr<v1::Dataset> dataset = datasets->Get(*id);
    if (dataset.ok()) return static_cast<double>(dataset->rows()) * dataset->column_count();
  }
  return static_cast<double>(spec.ByteSizeLong()) / sizeof(double);
}

}  // namespace aisivi::server
