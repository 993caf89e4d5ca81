#include "client/cli/parameter.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/duration.pb.h>

#include <cmath>
#include <limits>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "client/names.h"

namespace aisivi::cli {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

absl::Status Wrong(absl::string_view field, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat(field, ": ", what));
}

absl::StatusOr<double> ParseNumber(absl::string_view field, absl::string_view text) {
  double value;
  if (!absl::SimpleAtod(absl::StripAsciiWhitespace(text), &value)) {
    return Wrong(field, absl::StrCat("'", text, "' is not a number"));
  }
  return value;
}

// Whole numbers, also written like 1e4.
absl::StatusOr<int64_t> ParseInteger(absl::string_view field, absl::string_view text, int64_t min,
                                     int64_t max) {
  text = absl::StripAsciiWhitespace(text);
  int64_t value;
  if (!absl::SimpleAtoi(text, &value)) {
    double real;
    if (!absl::SimpleAtod(text, &real) || real != std::floor(real) || std::abs(real) >= 0x1p63) {
      return Wrong(field, absl::StrCat("'", text, "' is not a whole number"));
    }
    value = static_cast<int64_t>(real);
  }
  if (value < min || value > max) {
    return Wrong(field, absl::StrCat(text, " is out of range"));
  }
  return value;
}

absl::Status SetInteger(const std::string& path, const FieldDescriptor* field,
                        absl::string_view text, Message* message) {
  const bool wide = field->cpp_type() == FieldDescriptor::CPPTYPE_INT64;
  const absl::StatusOr<int64_t> value =
      wide ? ParseInteger(path, text, std::numeric_limits<int64_t>::min(),
                          std::numeric_limits<int64_t>::max())
           : ParseInteger(path, text, std::numeric_limits<int32_t>::min(),
                          std::numeric_limits<int32_t>::max());
  if (!value.ok()) return value.status();
  if (wide) {
    message->GetReflection()->SetInt64(message, field, *value);
  } else {
    message->GetReflection()->SetInt32(message, field, static_cast<int32_t>(*value));
  }
  return absl::OkStatus();
}

absl::Status SetBool(const std::string& path, const FieldDescriptor* field, absl::string_view text,
                     Message* message) {
  bool value;
  if (!absl::SimpleAtob(text, &value)) {
    return Wrong(path, absl::StrCat("'", text, "' is neither true nor false"));
  }
  message->GetReflection()->SetBool(message, field, value);
  return absl::OkStatus();
}

// The part of a value's name after what all have in common, in any case.
absl::Status SetEnum(const std::string& path, const FieldDescriptor* field, absl::string_view text,
                     Message* message) {
  const google::protobuf::EnumDescriptor* type = field->enum_type();
  std::vector<std::string> known;
  for (int i = 0; i < type->value_count(); ++i) {
    if (type->value(i)->number() == 0) continue;
    known.push_back(absl::AsciiStrToLower(ShortName(type, type->value(i)->number())));
    if (known.back() != absl::AsciiStrToLower(text)) continue;
    message->GetReflection()->SetEnum(message, field, type->value(i));
    return absl::OkStatus();
  }
  return Wrong(path, absl::StrCat("'", text, "' is not one of ", absl::StrJoin(known, ", ")));
}

absl::Status SetDuration(const std::string& path, const FieldDescriptor* field,
                         absl::string_view text, Message* message) {
  constexpr double kLongest = 315'576'000'000;  // of google.protobuf.Duration, 10,000 years
  const absl::StatusOr<double> seconds = ParseNumber(path, text);
  if (!seconds.ok()) return seconds.status();
  if (!(std::abs(*seconds) <= kLongest)) return Wrong(path, "is not a number of seconds");
  message->GetReflection()->MutableMessage(message, field)->CopyFrom(ToDuration(*seconds));
  return absl::OkStatus();
}

absl::Status SetSingular(const std::string& path, const FieldDescriptor* field,
                         absl::string_view text, Message* message) {
  switch (field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_DOUBLE: {
      const absl::StatusOr<double> value = ParseNumber(path, text);
      if (!value.ok()) return value.status();
      message->GetReflection()->SetDouble(message, field, *value);
      return absl::OkStatus();
    }
    case FieldDescriptor::CPPTYPE_INT32:
    case FieldDescriptor::CPPTYPE_INT64:
      return SetInteger(path, field, text, message);
    case FieldDescriptor::CPPTYPE_BOOL:
      return SetBool(path, field, text, message);
    case FieldDescriptor::CPPTYPE_STRING:
      message->GetReflection()->SetString(message, field, std::string(text));
      return absl::OkStatus();
    case FieldDescriptor::CPPTYPE_ENUM:
      return SetEnum(path, field, text, message);
    case FieldDescriptor::CPPTYPE_MESSAGE: {
      if (field->message_type() == google::protobuf::Duration::descriptor()) {
        return SetDuration(path, field, text, message);
      }
      if (field->message_type() != v1::Matrix::descriptor()) break;
      absl::StatusOr<v1::Matrix> matrix = ParseMatrix(path, text);
      if (!matrix.ok()) return matrix.status();
      message->GetReflection()->MutableMessage(message, field)->CopyFrom(*matrix);
      return absl::OkStatus();
    }
    default:
      break;
  }
  return Wrong(path, "cannot be given as text; use --spec");
}

absl::Status AddElement(const std::string& path, const FieldDescriptor* field,
                        absl::string_view text, Message* message) {
  switch (field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_DOUBLE: {
      const absl::StatusOr<double> value = ParseNumber(path, text);
      if (!value.ok()) return value.status();
      message->GetReflection()->AddDouble(message, field, *value);
      return absl::OkStatus();
    }
    case FieldDescriptor::CPPTYPE_INT32: {
      const absl::StatusOr<int64_t> value = ParseInteger(
          path, text, std::numeric_limits<int32_t>::min(), std::numeric_limits<int32_t>::max());
      if (!value.ok()) return value.status();
      message->GetReflection()->AddInt32(message, field, static_cast<int32_t>(*value));
      return absl::OkStatus();
    }
    case FieldDescriptor::CPPTYPE_MESSAGE: {
      if (field->message_type() != v1::Matrix::descriptor()) break;
      absl::StatusOr<v1::Matrix> matrix = ParseMatrix(path, text);
      if (!matrix.ok()) return matrix.status();
      message->GetReflection()->AddMessage(message, field)->CopyFrom(*matrix);
      return absl::OkStatus();
    }
    default:
      break;
  }
  return Wrong(path, "cannot be given as text; use --spec");
}

std::string JoinedFieldNames(const Descriptor* descriptor) {
  std::vector<std::string> names;
  for (int i = 0; i < descriptor->field_count(); ++i) {
    names.push_back(descriptor->field(i)->name());
  }
  return names.empty() ? "it has none" : absl::StrCat("known: ", absl::StrJoin(names, ", "));
}

}  // namespace

absl::StatusOr<std::pair<std::string, std::string>> SplitAssignment(absl::string_view option,
                                                                    absl::string_view assignment) {
  const size_t equals = assignment.find('=');
  if (equals == absl::string_view::npos || equals == 0) {
    return Wrong(option, absl::StrCat("'", assignment, "' is not of the form key=value"));
  }
  return std::pair(std::string(assignment.substr(0, equals)),
                   std::string(assignment.substr(equals + 1)));
}

absl::StatusOr<std::vector<double>> ParseVector(absl::string_view field, absl::string_view text) {
  std::vector<double> values;
  for (const absl::string_view cell : absl::StrSplit(text, ',')) {
    const absl::StatusOr<double> value = ParseNumber(field, cell);
    if (!value.ok()) return value.status();
    values.push_back(*value);
  }
  return values;
}

absl::StatusOr<v1::Matrix> ParseMatrix(absl::string_view field, absl::string_view text) {
  v1::Matrix matrix;
  for (const absl::string_view row : absl::StrSplit(text, ';')) {
    const absl::StatusOr<std::vector<double>> values = ParseVector(field, row);
    if (!values.ok()) return values.status();
    const int columns = static_cast<int>(values->size());
    if (matrix.rows() > 0 && columns != matrix.columns()) {
      return Wrong(field, absl::StrCat("row ", matrix.rows() + 1, " has ", columns,
                                       " entries, the rows before it ", matrix.columns()));
    }
    matrix.set_columns(columns);
    matrix.set_rows(matrix.rows() + 1);
    matrix.mutable_values()->Add(values->begin(), values->end());
  }
  return matrix;
}

absl::Status SetField(absl::string_view path, absl::string_view name, absl::string_view text,
                      Message* message) {
  const std::string full = absl::StrCat(path, ".", name);
  const FieldDescriptor* field = message->GetDescriptor()->FindFieldByName(std::string(name));
  if (field == nullptr) {
    return Wrong(
        full, absl::StrCat("there is no such field; ", JoinedFieldNames(message->GetDescriptor())));
  }
  if (text.empty()) return Wrong(full, "the value is empty");
  if (!field->is_repeated()) return SetSingular(full, field, text, message);
  message->GetReflection()->ClearField(message, field);
  const char separator = field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE ? '|' : ',';
  for (const absl::string_view element : absl::StrSplit(text, separator)) {
    const absl::Status added = AddElement(full, field, element, message);
    if (!added.ok()) return added;
  }
  return absl::OkStatus();
}

absl::Status ChooseTarget(absl::string_view name, v1::Fit* fit) {
  const Descriptor* descriptor = v1::TargetSpec::descriptor();
  const FieldDescriptor* field = descriptor->FindFieldByName(std::string(name));
  if (field == nullptr || field->containing_oneof() == nullptr) {
    return Wrong("fit.target",
                 absl::StrCat("no target is called '", name, "'; ", JoinedFieldNames(descriptor)));
  }
  v1::TargetSpec* target = fit->mutable_target();
  target->GetReflection()->MutableMessage(target, field);
  return absl::OkStatus();
}

Message* ChosenTarget(v1::Fit* fit, std::string* path) {
  if (!fit->has_target()) return nullptr;
  v1::TargetSpec* target = fit->mutable_target();
  const FieldDescriptor* field = target->GetReflection()->GetOneofFieldDescriptor(
      *target, v1::TargetSpec::descriptor()->oneof_decl(0));
  if (field == nullptr) return nullptr;
  *path = absl::StrCat("fit.target.", field->name());
  return target->GetReflection()->MutableMessage(target, field);
}

}  // namespace aisivi::cli
