#include "server/convert/target_spec.h"

#include <cmath>
#include <functional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "engine/targets/renamed.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"
#include "server/convert/target_data.h"
#include "server/remote/density_broker.h"
#include "server/remote/density_name.h"
#include "server/remote/parameters.h"
#include "server/remote/remote_target.h"
#include "server/stan/stan_programs.h"
#include "server/status.h"

namespace aisivi::server {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;
using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

// The member of the oneof that is set, or null.
const FieldDescriptor* ChosenTarget(const v1::TargetSpec& spec) {
  const auto* oneof = v1::TargetSpec::descriptor()->FindOneofByName("target");
  return spec.GetReflection()->GetOneofFieldDescriptor(spec, oneof);
}

absl::Status CheckFinite(double value, absl::string_view field) {
  if (std::isfinite(value)) return absl::OkStatus();
  return FieldError(field, absl::StrCat("must be finite, is ", value));
}

double Number(const Message& message, const FieldDescriptor* field) {
  const Reflection* reflection = message.GetReflection();
  switch (field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
      return reflection->GetInt32(message, field);
    case FieldDescriptor::CPPTYPE_INT64:
      return static_cast<double>(reflection->GetInt64(message, field));
    default:
      return reflection->GetDouble(message, field);
  }
}

double Entry(const Message& message, const FieldDescriptor* field, int i) {
  const Reflection* reflection = message.GetReflection();
  return field->cpp_type() == FieldDescriptor::CPPTYPE_INT32
             ? reflection->GetRepeatedInt32(message, field, i)
             : reflection->GetRepeatedDouble(message, field, i);
}

absl::StatusOr<ParameterValue> ToVector(const Message& message, const FieldDescriptor* field,
                                        absl::string_view path) {
  const int size = message.GetReflection()->FieldSize(message, field);
  Eigen::VectorXd vector(size);
  for (int i = 0; i < size; ++i) {
    vector[i] = Entry(message, field, i);
    if (!std::isfinite(vector[i])) {
      return FieldError(path, absl::StrCat("entry ", i + 1, " must be finite, is ", vector[i]));
    }
  }
  return ParameterValue(std::move(vector));
}

absl::StatusOr<ParameterValue> ToMatrixList(const Message& message, const FieldDescriptor* field,
                                            const std::string& path) {
  std::vector<Eigen::MatrixXd> list;
  const Reflection* reflection = message.GetReflection();
  for (int i = 0; i < reflection->FieldSize(message, field); ++i) {
    absl::StatusOr<Eigen::MatrixXd> matrix =
        ToMatrix(static_cast<const v1::Matrix&>(reflection->GetRepeatedMessage(message, field, i)),
                 absl::StrCat(path, "[", i, "]"));
    if (!matrix.ok()) return matrix.status();
    list.push_back(*std::move(matrix));
  }
  return ParameterValue(std::move(list));
}

absl::StatusOr<ParameterValue> ToParameter(const Message& message, const FieldDescriptor* field,
                                           const std::string& path) {
  const bool is_matrix = field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE;
  if (field->is_repeated()) {
    return is_matrix ? ToMatrixList(message, field, path) : ToVector(message, field, path);
  }
  if (is_matrix) {
    absl::StatusOr<Eigen::MatrixXd> matrix = ToMatrix(
        static_cast<const v1::Matrix&>(message.GetReflection()->GetMessage(message, field)), path);
    if (!matrix.ok()) return matrix.status();
    return ParameterValue(*std::move(matrix));
  }
  const double number = Number(message, field);
  if (absl::Status status = CheckFinite(number, path); !status.ok()) return status;
  return ParameterValue(number);
}

// The parameters that a request gives or its data set holds, x and y moved out of `data`.
absl::StatusOr<TargetParameters> AllParameters(const v1::TargetSpec& spec, absl::string_view field,
                                               DatasetStore* datasets,
                                               std::optional<TargetData>* data) {
  absl::StatusOr<TargetParameters> parameters = ToTargetParameters(spec, field);
  absl::StatusOr<std::optional<TargetData>> read = ReadTargetData(spec, field, datasets);
  absl::Status status = AllErrors({parameters.status(), read.status()});
  if (!status.ok()) return status;
  *data = *std::move(read);
  if (data->has_value()) {
    parameters->emplace("x", std::move((*data)->x));
    parameters->emplace("y", std::move((*data)->y));
  }
  return parameters;
}

// The density that a request names.
absl::StatusOr<std::shared_ptr<const RemoteDensity>> FindDensity(const v1::RemoteTarget& remote,
                                                                 absl::string_view field,
                                                                 const TargetSources& sources) {
  const std::string path = absl::StrCat(field, ".remote.density");
  if (remote.density().empty()) return FieldError(path, "is required");
  if (absl::Status s = CheckDensityName(path, remote.density()); !s.ok()) return s;
  if (sources.densities == nullptr) return DensityNotFound(path, remote.density());
  return sources.densities->Find(path, remote.density());
}

absl::StatusOr<std::unique_ptr<const Target>> BuildStan(const v1::StanTarget& stan,
                                                        const std::string& path,
                                                        const TargetSources& sources) {
  if (sources.stan != nullptr) return sources.stan->Build(stan, path, sources.cancel);
  return NotAllowed("STAN_UNAVAILABLE", path, "this server fits no Stan programs");
}

// An error of the engine has a line for each parameter that is wrong.
absl::Status AtEach(const absl::Status& error,
                    const std::function<absl::Status(const absl::Status&)>& at) {
  if (!absl::IsInvalidArgument(error)) return at(error);
  std::vector<absl::Status> errors;
  for (const absl::string_view line : absl::StrSplit(error.message(), '\n')) {
    errors.push_back(at(absl::InvalidArgumentError(line)));
  }
  return AllErrors(errors);
}

}  // namespace

std::string TargetName(const v1::TargetSpec& spec) {
  const FieldDescriptor* chosen = ChosenTarget(spec);
  return chosen == nullptr ? std::string() : std::string(chosen->name());
}

absl::StatusOr<Eigen::MatrixXd> ToMatrix(const v1::Matrix& matrix, absl::string_view field) {
  if (matrix.rows() < 1 || matrix.columns() < 1) {
    return FieldError(field, absl::StrCat("needs at least one row and one column, has ",
                                          matrix.rows(), " x ", matrix.columns()));
  }
  const int64_t size = int64_t{matrix.rows()} * matrix.columns();
  if (size != matrix.values_size()) {
    return FieldError(field, absl::StrCat("is ", matrix.rows(), " x ", matrix.columns(), " = ",
                                          size, " entries, but values has ", matrix.values_size()));
  }
  const Eigen::Map<const RowMajor> map(matrix.values().data(), matrix.rows(), matrix.columns());
  for (int64_t i = 0; i < size; ++i) {
    if (!std::isfinite(matrix.values(static_cast<int>(i)))) {
      return FieldError(field, absl::StrCat("row ", i / matrix.columns() + 1, ", column ",
                                            i % matrix.columns() + 1, " must be finite, is ",
                                            matrix.values(static_cast<int>(i))));
    }
  }
  return Eigen::MatrixXd(map);
}

v1::Matrix ToMatrixMessage(const Eigen::Ref<const Eigen::MatrixXd>& matrix) {
  v1::Matrix message;
  message.set_rows(static_cast<int>(matrix.rows()));
  message.set_columns(static_cast<int>(matrix.cols()));
  message.mutable_values()->Resize(static_cast<int>(matrix.size()), 0.0);
  Eigen::Map<RowMajor>(message.mutable_values()->mutable_data(), matrix.rows(), matrix.cols()) =
      matrix;
  return message;
}

absl::StatusOr<TargetParameters> ToTargetParameters(const v1::TargetSpec& spec,
                                                    absl::string_view field) {
  const FieldDescriptor* chosen = ChosenTarget(spec);
  if (chosen == nullptr) return FieldError(field, "is required: set exactly one target");
  const Message& message = spec.GetReflection()->GetMessage(spec, chosen);
  std::vector<const FieldDescriptor*> set_fields;
  message.GetReflection()->ListFields(message, &set_fields);
  TargetParameters parameters;
  std::vector<absl::Status> errors;
  for (const FieldDescriptor* set_field : set_fields) {
    if (SaysWhereDataAre(set_field)) continue;
    absl::StatusOr<ParameterValue> value = ToParameter(
        message, set_field, absl::StrCat(field, ".", chosen->name(), ".", set_field->name()));
    errors.push_back(value.status());
    if (value.ok()) parameters.emplace(set_field->name(), *std::move(value));
  }
  if (absl::Status status = AllErrors(errors); !status.ok()) return status;
  return parameters;
}

absl::StatusOr<std::unique_ptr<const Target>> BuildTarget(const v1::TargetSpec& spec,
                                                          absl::string_view field,
                                                          const TargetSources& sources) {
  if (spec.has_remote()) {
    absl::StatusOr<std::shared_ptr<const RemoteDensity>> density =
        FindDensity(spec.remote(), field, sources);
    if (!density.ok()) return density.status();
    const DensityWait wait{(*density)->patience, sources.cancel};
    return std::make_unique<const RemoteTarget>(*std::move(density), sources.densities, wait);
  }
  if (spec.has_stan()) return BuildStan(spec.stan(), absl::StrCat(field, ".stan"), sources);
  std::optional<TargetData> data;
  absl::StatusOr<TargetParameters> parameters = AllParameters(spec, field, sources.datasets, &data);
  if (!parameters.ok()) return parameters.status();
  const std::string name = TargetName(spec);
  const std::string path = absl::StrCat(field, ".", name);
  absl::StatusOr<const TargetEntry*> entry = FindTarget(name);
  if (!entry.ok()) return FieldError(path, "is not built into this server");
  absl::StatusOr<std::unique_ptr<const Target>> target = (*entry)->make(*parameters);
  if (!target.ok()) {
    return AtEach(target.status(), [&](const absl::Status& error) {
      return data.has_value() ? AtColumns(*data, path, error) : AtField(path, error);
    });
  }
  if (!data.has_value()) return target;
  std::vector<Variable> variables = (*entry)->name_columns(**target, data->columns);
  return Renamed(*std::move(target), std::move(variables));
}

absl::StatusOr<std::unique_ptr<const Target>> BuildStoredTarget(const v1::TargetSpec& spec,
                                                                absl::string_view field,
                                                                const TargetSources& sources) {
  if (!spec.has_remote()) return BuildTarget(spec, field, sources);
  absl::StatusOr<ParameterMap> map =
      ToParameterMap(spec.remote().parameters(), absl::StrCat(field, ".remote.parameters"));
  if (!map.ok()) return map.status();
  auto density = std::make_shared<const RemoteDensity>(
      RemoteDensity{spec.remote().density(), *std::move(map), spec.remote().unnormalised()});
  return std::make_unique<const RemoteTarget>(std::move(density), sources.densities,
                                              DensityWait{.cancel = sources.cancel});
}

absl::Status CompleteTarget(absl::string_view field, const TargetSources& sources,
                            v1::TargetSpec* spec) {
  if (!spec->has_remote()) return absl::OkStatus();
  const absl::StatusOr<std::shared_ptr<const RemoteDensity>> density =
      FindDensity(spec->remote(), field, sources);
  if (!density.ok()) return density.status();
  *spec->mutable_remote()->mutable_parameters() = ToMessages((*density)->map);
  spec->mutable_remote()->set_unnormalised((*density)->unnormalised);
  return absl::OkStatus();
}

std::optional<double> KnownLogZ(const v1::TargetSpec& spec, const TargetSources& sources) {
  if (spec.has_remote()) return std::nullopt;
  std::optional<TargetData> data;
  const absl::StatusOr<TargetParameters> parameters =
      AllParameters(spec, "target", sources.datasets, &data);
  const absl::StatusOr<const TargetEntry*> entry = FindTarget(TargetName(spec));
  if (!parameters.ok() || !entry.ok() || !(*entry)->known_log_z) return std::nullopt;
  return (*entry)->known_log_z(*parameters);
}

void StripArrays(v1::TargetSpec* spec) {
  if (spec->has_stan()) spec->mutable_stan()->clear_data();
  const FieldDescriptor* chosen = ChosenTarget(*spec);
  if (chosen == nullptr) return;
  Message* message = spec->GetReflection()->MutableMessage(spec, chosen);
  for (int i = 0; i < message->GetDescriptor()->field_count(); ++i) {
    const FieldDescriptor* field = message->GetDescriptor()->field(i);
    if (field->is_repeated() || field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      message->GetReflection()->ClearField(message, field);
    }
  }
}

}  // namespace aisivi::server
