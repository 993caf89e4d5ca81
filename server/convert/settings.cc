#include "server/convert/settings.h"

#include <cmath>
#include <string>
#include <type_traits>
#include <variant>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "google/protobuf/descriptor.h"
#include "server/convert/duration.h"
#include "server/status.h"

namespace aisivi::server {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::EnumDescriptor;
using google::protobuf::EnumValueDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;
using OptionValue = std::variant<int64_t, double, bool, std::string>;

constexpr char kMethod[] = "method";
constexpr absl::string_view kUnset = "UNSPECIFIED";

// "KERNEL_" of Kernel, whose value 0 is KERNEL_UNSPECIFIED.
std::string Prefix(const EnumDescriptor* type) {
  const std::string& zero = type->FindValueByNumber(0)->name();
  return zero.substr(0, zero.size() - kUnset.size());
}

absl::StatusOr<OptionValue> Value(const Message& message, const FieldDescriptor* field) {
  const Reflection* reflection = message.GetReflection();
  switch (field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT64:
      return reflection->GetInt64(message, field);
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return reflection->GetDouble(message, field);
    case FieldDescriptor::CPPTYPE_BOOL:
      return reflection->GetBool(message, field);
    case FieldDescriptor::CPPTYPE_ENUM: {
      const int number = reflection->GetEnumValue(message, field);
      const EnumValueDescriptor* value = field->enum_type()->FindValueByNumber(number);
      if (value == nullptr) {
        return absl::InvalidArgumentError(
            absl::StrCat(field->name(), ": ", number, " is not a ", field->enum_type()->name()));
      }
      return absl::AsciiStrToLower(value->name().substr(Prefix(field->enum_type()).size()));
    }
    default: {
      absl::StatusOr<double> seconds = ToSeconds(
          static_cast<const google::protobuf::Duration&>(reflection->GetMessage(message, field)));
      if (seconds.ok()) return *seconds;
      return absl::InvalidArgumentError(
          absl::StrCat(field->name(), ": ", std::string(seconds.status().message())));
    }
  }
}

void SetField(const FieldDescriptor* field, const OptionValue& value, Message* message) {
  const Reflection* reflection = message->GetReflection();
  if (const auto* integer = std::get_if<int64_t>(&value)) {
    reflection->SetInt64(message, field, *integer);
  } else if (const auto* flag = std::get_if<bool>(&value)) {
    reflection->SetBool(message, field, *flag);
  } else if (const auto* text = std::get_if<std::string>(&value)) {
    const EnumValueDescriptor* choice = field->enum_type()->FindValueByName(
        absl::StrCat(Prefix(field->enum_type()), absl::AsciiStrToUpper(*text)));
    if (choice != nullptr) reflection->SetEnum(message, field, choice);
  } else if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
    reflection->MutableMessage(message, field)->CopyFrom(ToDuration(std::get<double>(value)));
  } else {
    reflection->SetDouble(message, field, std::get<double>(value));
  }
}

bool IsUnset(const Message& message, const FieldDescriptor* field) {
  return field->cpp_type() == FieldDescriptor::CPPTYPE_ENUM &&
         message.GetReflection()->GetEnumValue(message, field) == 0;
}

void Apply(const Message& message, const std::string& path, FitOptions* options,
           std::vector<absl::Status>* errors) {
  std::vector<const FieldDescriptor*> set_fields;
  message.GetReflection()->ListFields(message, &set_fields);
  for (const FieldDescriptor* field : set_fields) {
    if (IsUnset(message, field)) continue;
    const absl::StatusOr<OptionValue> value = Value(message, field);
    const absl::Status status =
        value.ok() ? SetOption(field->name(), *value, options) : value.status();
    if (!status.ok()) errors->push_back(AtField(path, status));
  }
}

void Fill(const FitOptions& options, Message* message) {
  for (const OptionDoc& option : OptionTable()) {
    const FieldDescriptor* field = message->GetDescriptor()->FindFieldByName(option.name);
    if (field == nullptr) continue;
    SetField(
        field,
        std::visit([&](const auto& member) { return OptionValue(options.*member); }, option.member),
        message);
  }
}

const FieldDescriptor* ChosenMethod(const v1::MethodSpec& spec) {
  return spec.GetReflection()->GetOneofFieldDescriptor(spec, spec.GetDescriptor()->oneof_decl(0));
}

void ApplyMethodSpec(const v1::MethodSpec& spec, const std::string& path, FitOptions* options,
                     std::vector<absl::Status>* errors) {
  const FieldDescriptor* method = ChosenMethod(spec);
  if (method == nullptr) {
    // Also of a method that only a later version knows.
    errors->push_back(FieldError(path, "names no method that there is here"));
    return;
  }
  options->method = method->name();
  Apply(spec.GetReflection()->GetMessage(spec, method), absl::StrCat(path, ".", method->name()),
        options, errors);
}

}  // namespace

std::string MethodName(const v1::MethodSpec& spec) {
  const FieldDescriptor* method = ChosenMethod(spec);
  return method == nullptr ? "" : method->name();
}

std::vector<absl::Status> ApplySettings(const Message& source, absl::string_view field,
                                        FitOptions* options) {
  std::vector<absl::Status> errors;
  const Descriptor* groups = v1::FitSettings::descriptor();
  for (int i = 0; i < groups->field_count(); ++i) {
    const std::string& name = groups->field(i)->name();
    const FieldDescriptor* group = source.GetDescriptor()->FindFieldByName(name);
    if (!source.GetReflection()->HasField(source, group)) continue;
    const Message& message = source.GetReflection()->GetMessage(source, group);
    const std::string path = absl::StrCat(field, ".", name);
    if (name == kMethod) {
      ApplyMethodSpec(static_cast<const v1::MethodSpec&>(message), path, options, &errors);
    } else {
      Apply(message, path, options, &errors);
    }
  }
  return errors;
}

v1::FitSettings ToSettings(const FitOptions& options) {
  v1::FitSettings settings;
  const Descriptor* groups = v1::FitSettings::descriptor();
  for (int i = 0; i < groups->field_count(); ++i) {
    Message* message = settings.GetReflection()->MutableMessage(&settings, groups->field(i));
    const FieldDescriptor* method = message->GetDescriptor()->FindFieldByName(options.method);
    if (groups->field(i)->name() == kMethod && method != nullptr) {
      message = message->GetReflection()->MutableMessage(message, method);
    }
    Fill(options, message);
  }
  return settings;
}

std::string SettingPath(absl::string_view method, absl::string_view option) {
  const Descriptor* groups = v1::FitSettings::descriptor();
  for (int i = 0; i < groups->field_count(); ++i) {
    const FieldDescriptor* group = groups->field(i);
    if (group->message_type()->FindFieldByName(std::string(option)) != nullptr) {
      return absl::StrCat(group->name(), ".", option);
    }
  }
  const FieldDescriptor* own = v1::MethodSpec::descriptor()->FindFieldByName(std::string(method));
  if (own == nullptr || own->message_type()->FindFieldByName(std::string(option)) == nullptr) {
    return kMethod;
  }
  return absl::StrCat(kMethod, ".", method, ".", option);
}

}  // namespace aisivi::server
