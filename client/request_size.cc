#include "client/request_size.h"

#include <google/protobuf/descriptor.h>

#include <vector>

#include "absl/strings/str_cat.h"
#include "aisivi/v1/target.pb.h"

namespace aisivi {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

// Bytes of a field, near enough to compare fields by.
size_t FieldBytes(const Message& message, const FieldDescriptor* field) {
  const Reflection* reflection = message.GetReflection();
  const bool is_message = field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE;
  const bool is_text = field->cpp_type() == FieldDescriptor::CPPTYPE_STRING;
  if (!field->is_repeated()) {
    if (is_message) return reflection->GetMessage(message, field).ByteSizeLong();
    return is_text ? reflection->GetString(message, field).size() : 8;
  }
  const int count = reflection->FieldSize(message, field);
  if (!is_message) return size_t{8} * count;
  size_t bytes = 0;
  for (int i = 0; i < count; ++i) {
    bytes += reflection->GetRepeatedMessage(message, field, i).ByteSizeLong();
  }
  return bytes;
}

}  // namespace

std::string LargestField(const Message& message) {
  std::vector<const FieldDescriptor*> fields;
  message.GetReflection()->ListFields(message, &fields);
  const FieldDescriptor* largest = nullptr;
  size_t most = 0;
  for (const FieldDescriptor* field : fields) {
    const size_t bytes = FieldBytes(message, field);
    if (bytes > most) {
      most = bytes;
      largest = field;
    }
  }
  if (largest == nullptr || 2 * most < message.ByteSizeLong()) return "";
  const bool descend = !largest->is_repeated() &&
                       largest->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE &&
                       largest->message_type() != v1::Matrix::descriptor();
  if (!descend) return largest->name();
  const std::string below = LargestField(message.GetReflection()->GetMessage(message, largest));
  return below.empty() ? largest->name() : absl::StrCat(largest->name(), ".", below);
}

}  // namespace aisivi
