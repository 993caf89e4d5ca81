#include "server/services/request_size.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "aisivi/v1/target.pb.h"
#include "google/protobuf/descriptor.h"
#include "server/status.h"

namespace aisivi::server {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

// Bytes of one field, nearly: exact for what can be large.
size_t FieldBytes(const Message& message, const FieldDescriptor* field) {
  const auto* reflection = message.GetReflection();
  const int count = field->is_repeated() ? reflection->FieldSize(message, field) : 1;
  size_t bytes = 0;
  std::string scratch;
  for (int i = 0; i < count; ++i) {
    if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      bytes += (field->is_repeated() ? reflection->GetRepeatedMessage(message, field, i)
                                     : reflection->GetMessage(message, field))
                   .ByteSizeLong();
    } else if (field->cpp_type() == FieldDescriptor::CPPTYPE_STRING) {
      bytes += (field->is_repeated()
                    ? reflection->GetRepeatedStringReference(message, field, i, &scratch)
                    : reflection->GetStringReference(message, field, &scratch))
                   .size();
    } else {
      return static_cast<size_t>(count) * sizeof(double);
    }
  }
  return bytes;
}

// Path of the largest field, down to a scalar, a list, a map or a matrix.
std::string LargestField(const Message& message, size_t* bytes) {
  std::vector<const FieldDescriptor*> fields;
  message.GetReflection()->ListFields(message, &fields);
  const FieldDescriptor* largest = nullptr;
  *bytes = 0;
  for (const FieldDescriptor* field : fields) {
    const size_t size = FieldBytes(message, field);
    if (size <= *bytes) continue;
    *bytes = size;
    largest = field;
  }
  if (largest == nullptr) return "";
  const bool inside = !largest->is_repeated() &&
                      largest->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE &&
                      largest->message_type() != v1::Matrix::descriptor();
  if (!inside) return std::string(largest->name());
  const std::string rest =
      LargestField(message.GetReflection()->GetMessage(message, largest), bytes);
  return rest.empty() ? std::string(largest->name()) : absl::StrCat(largest->name(), ".", rest);
}

}  // namespace

absl::Status CheckRequestSize(const Message& request, int64_t limit) {
  const size_t total = request.ByteSizeLong();
  if (total <= static_cast<size_t>(limit)) return absl::OkStatus();
  size_t bytes;
  const std::string field = LargestField(request, &bytes);
  return FieldError(field.empty() ? "request" : field,
                    absl::StrCat("is too large: ", bytes, " bytes, of a request of ", total,
                                 "; at most ", limit, " bytes are accepted"));
}

}  // namespace aisivi::server
