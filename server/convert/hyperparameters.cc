#include "server/convert/hyperparameters.h"

#include <string>
#include <type_traits>
#include <variant>
#include <vector>

#include "google/protobuf/descriptor.h"
#include "server/status.h"
#include "server/text.h"

namespace aisivi::server {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Reflection;
using OptionValue = std::variant<int64_t, double, bool, std::string>;

constexpr size_t kMaxChoice = 64;  // bytes

OptionValue Value(const v1::Hyperparameters& message, const FieldDescriptor* field) {
  const Reflection* reflection = message.GetReflection();
  switch (field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT64:
      return reflection->GetInt64(message, field);
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return reflection->GetDouble(message, field);
    case FieldDescriptor::CPPTYPE_BOOL:
      return reflection->GetBool(message, field);
    default:
      // Longer than any choice there is; an error repeats it.
      return Shortened(reflection->GetString(message, field), kMaxChoice);
  }
}

void SetField(const FieldDescriptor* field, const OptionValue& value,
              v1::Hyperparameters* message) {
  const Reflection* reflection = message->GetReflection();
  if (const auto* integer = std::get_if<int64_t>(&value)) {
    reflection->SetInt64(message, field, *integer);
  } else if (const auto* number = std::get_if<double>(&value)) {
    reflection->SetDouble(message, field, *number);
  } else if (const auto* flag = std::get_if<bool>(&value)) {
    reflection->SetBool(message, field, *flag);
  } else {
    reflection->SetString(message, field, std::get<std::string>(value));
  }
}

}  // namespace

absl::Status ApplyHyperparameters(const v1::Hyperparameters& message, absl::string_view field,
                                  FitOptions* options) {
  std::vector<const FieldDescriptor*> set_fields;
  message.GetReflection()->ListFields(message, &set_fields);
  for (const FieldDescriptor* set_field : set_fields) {
    absl::Status status = SetOption(set_field->name(), Value(message, set_field), options);
    if (!status.ok()) return AtField(field, status);
  }
  return absl::OkStatus();
}

v1::Hyperparameters ToHyperparameters(const FitOptions& options) {
  v1::Hyperparameters message;
  for (const OptionDoc& option : OptionTable()) {
    const FieldDescriptor* field = v1::Hyperparameters::descriptor()->FindFieldByName(option.name);
    if (field == nullptr) continue;
    SetField(
        field,
        std::visit([&](const auto& member) { return OptionValue(options.*member); }, option.member),
        &message);
  }
  return message;
}

}  // namespace aisivi::server
