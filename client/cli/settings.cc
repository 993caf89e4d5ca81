#include "client/cli/settings.h"

#include <google/protobuf/descriptor.h>

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "client/cli/parameter.h"
#include "client/names.h"

namespace aisivi::cli {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

constexpr char kMethod[] = "method";
constexpr char kDefaultMethod[] = "aisivi";

std::vector<std::string> FieldNames(const Descriptor* descriptor) {
  std::vector<std::string> names;
  for (int i = 0; i < descriptor->field_count(); ++i) {
    names.push_back(descriptor->field(i)->name());
  }
  return names;
}

// What a line of an error may repeat.
std::string Shortened(absl::string_view name) {
  constexpr size_t kMost = 100;
  return name.size() <= kMost ? std::string(name) : absl::StrCat(name.substr(0, kMost), "…");
}

// Presets are called METHOD_SETTING; of "kpg" and "kpg_is" the longer fits "kpg_is_logistic".
std::string MethodOf(const v1::Fit& fit) {
  if (fit.has_method()) return MethodName(fit);
  std::string longest;
  for (const std::string& name : FieldNames(v1::MethodSpec::descriptor())) {
    if (absl::StartsWith(fit.preset(), absl::StrCat(name, "_")) && name.size() > longest.size()) {
      longest = name;
    }
  }
  return longest.empty() ? kDefaultMethod : longest;
}

// The groups of settings that methods share, by their names in Fit.
std::vector<std::string> Groups() {
  std::vector<std::string> names = FieldNames(v1::FitSettings::descriptor());
  names.erase(std::find(names.begin(), names.end(), kMethod));
  return names;
}

absl::Status NoSuchSetting(absl::string_view name, const FieldDescriptor* method) {
  std::vector<std::string> known = FieldNames(method->message_type());
  for (const std::string& group : Groups()) {
    const Descriptor* shared =
        v1::FitSettings::descriptor()->FindFieldByName(group)->message_type();
    for (std::string& field : FieldNames(shared)) known.push_back(std::move(field));
  }
  return absl::InvalidArgumentError(
      absl::StrCat("fit.", Shortened(name), ": the method ", method->name(),
                   " has no such setting; known: ", absl::StrJoin(known, ", ")));
}

}  // namespace

absl::Status ChooseMethod(absl::string_view name, v1::Fit* fit) {
  const FieldDescriptor* field = v1::MethodSpec::descriptor()->FindFieldByName(std::string(name));
  if (field == nullptr) {
    return absl::InvalidArgumentError(
        absl::StrCat("fit.method: no method is called '", Shortened(name),
                     "'; known: ", absl::StrJoin(FieldNames(v1::MethodSpec::descriptor()), ", ")));
  }
  v1::MethodSpec* method = fit->mutable_method();
  method->GetReflection()->MutableMessage(method, field);
  return absl::OkStatus();
}

bool IsOptionOfAnotherMethod(absl::string_view name, const v1::Fit& fit) {
  const std::string key(name), own = MethodOf(fit);
  bool found = false;
  const Descriptor* methods = v1::MethodSpec::descriptor();
  for (int i = 0; i < methods->field_count(); ++i) {
    if (methods->field(i)->message_type()->FindFieldByName(key) == nullptr) continue;
    if (methods->field(i)->name() == own) return false;
    found = true;
  }
  return found;
}

absl::Status SetSetting(absl::string_view name, absl::string_view text, v1::Fit* fit) {
  const std::string key(name);
  const FieldDescriptor* method = v1::MethodSpec::descriptor()->FindFieldByName(MethodOf(*fit));
  if (method == nullptr) return absl::InvalidArgumentError("fit.method: is empty");
  if (method->message_type()->FindFieldByName(key) != nullptr) {
    v1::MethodSpec* spec = fit->mutable_method();
    return SetField(absl::StrCat("fit.method.", method->name()), name, text,
                    spec->GetReflection()->MutableMessage(spec, method));
  }
  for (const std::string& group : Groups()) {
    const FieldDescriptor* field = v1::Fit::descriptor()->FindFieldByName(group);
    if (field->message_type()->FindFieldByName(key) == nullptr) continue;
    return SetField(absl::StrCat("fit.", group), name, text,
                    fit->GetReflection()->MutableMessage(fit, field));
  }
  return NoSuchSetting(name, method);
}

}  // namespace aisivi::cli
