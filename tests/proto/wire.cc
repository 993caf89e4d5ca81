#include "tests/proto/wire.h"

#include <google/protobuf/descriptor.h>

#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "aisivi/v1/dataset_service.pb.h"
#include "aisivi/v1/density_service.pb.h"
#include "aisivi/v1/fit_service.pb.h"
#include "aisivi/v1/posterior_service.pb.h"
#include "aisivi/v1/target_service.pb.h"

namespace aisivi {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::EnumDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::FileDescriptor;
using google::protobuf::MethodDescriptor;

class Listing {
 public:
  void Add(const FileDescriptor* file) {
    if (file->package() != "aisivi.v1") return;
    for (int i = 0; i < file->message_type_count(); ++i) Add(file->message_type(i));
    for (int i = 0; i < file->enum_type_count(); ++i) Add(file->enum_type(i));
    for (int i = 0; i < file->service_count(); ++i) {
      for (int m = 0; m < file->service(i)->method_count(); ++m) Add(file->service(i)->method(m));
    }
    for (int i = 0; i < file->dependency_count(); ++i) Add(file->dependency(i));
  }
  std::set<std::string> lines;

 private:
  void Add(const Descriptor* message) {
    for (int i = 0; i < message->field_count(); ++i) Add(message->field(i));
    for (int i = 0; i < message->nested_type_count(); ++i) Add(message->nested_type(i));
    for (int i = 0; i < message->enum_type_count(); ++i) Add(message->enum_type(i));
    for (int i = 0; i < message->reserved_range_count(); ++i) {
      for (int n = message->reserved_range(i)->start; n < message->reserved_range(i)->end; ++n) {
        lines.insert(absl::StrCat("reserved ", message->full_name(), " ", n));
      }
    }
    for (int i = 0; i < message->reserved_name_count(); ++i) {
      lines.insert(absl::StrCat("reserved ", message->full_name(), " ", message->reserved_name(i)));
    }
  }
  void Add(const FieldDescriptor* field) {
    const std::string type =
        field->type() == FieldDescriptor::TYPE_MESSAGE ? field->message_type()->full_name()
        : field->type() == FieldDescriptor::TYPE_ENUM  ? field->enum_type()->full_name()
                                                       : field->type_name();
    const auto* choice = field->real_containing_oneof();
    lines.insert(absl::StrCat("field ", field->containing_type()->full_name(), " ", field->number(),
                              " ", field->name(), ": ", field->is_repeated() ? "repeated " : "",
                              field->has_optional_keyword() ? "optional " : "", type,
                              choice == nullptr ? "" : absl::StrCat(" of ", choice->name())));
  }
  void Add(const EnumDescriptor* type) {
    for (int i = 0; i < type->value_count(); ++i) {
      lines.insert(absl::StrCat("value ", type->full_name(), " ", type->value(i)->number(), " ",
                                type->value(i)->name()));
    }
  }
  void Add(const MethodDescriptor* method) {
    lines.insert(absl::StrCat(
        "rpc ", method->full_name(), ": ", method->client_streaming() ? "stream " : "",
        method->input_type()->full_name(), " -> ", method->server_streaming() ? "stream " : "",
        method->output_type()->full_name()));
  }
};

}  // namespace

std::set<std::string> WireListing() {
  Listing listing;
  for (const FileDescriptor* file :
       {v1::CreateFitRequest::descriptor()->file(), v1::GetDatasetRequest::descriptor()->file(),
        v1::ServeDensityRequest::descriptor()->file(), v1::StreamDrawsRequest::descriptor()->file(),
        v1::ListTargetsRequest::descriptor()->file()}) {
    listing.Add(file);
  }
  return listing.lines;
}

std::set<std::string> BrokenLines(const std::set<std::string>& recorded,
                                  const std::set<std::string>& now) {
  std::set<std::string> broken;
  for (const std::string& line : recorded) {
    if (now.count(line) > 0) continue;
    // "field MESSAGE NUMBER NAME: TYPE"
    const std::vector<std::string> words = absl::StrSplit(line, absl::ByAnyChar(" :"));
    const bool reserved = words[0] == "field" && words.size() > 3 &&
                          now.count(absl::StrCat("reserved ", words[1], " ", words[2])) > 0 &&
                          now.count(absl::StrCat("reserved ", words[1], " ", words[3])) > 0;
    if (!reserved) broken.insert(line);
  }
  return broken;
}

}  // namespace aisivi
