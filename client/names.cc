#include "client/names.h"

#include <google/protobuf/descriptor.h>

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace aisivi {
namespace {

constexpr absl::string_view kUnset = "UNSPECIFIED";
constexpr double kNanos = 1e9;  // of a second

}  // namespace

std::string EnumPrefix(const google::protobuf::EnumDescriptor* type) {
  const std::string& zero = type->FindValueByNumber(0)->name();
  return zero.substr(0, zero.size() - kUnset.size());
}

std::string ShortName(const google::protobuf::EnumDescriptor* type, int value) {
  const auto* known = type->FindValueByNumber(value);
  return known == nullptr ? absl::StrCat(value) : known->name().substr(EnumPrefix(type).size());
}

std::string MethodName(const v1::Fit& fit) {
  const v1::MethodSpec& method =
      fit.has_effective_settings() ? fit.effective_settings().method() : fit.method();
  const auto* field = method.GetReflection()->GetOneofFieldDescriptor(
      method, v1::MethodSpec::descriptor()->oneof_decl(0));
  return field == nullptr ? "" : field->name();
}

double ToSeconds(const google::protobuf::Duration& duration) {
  return static_cast<double>(duration.seconds()) + duration.nanos() / kNanos;
}

google::protobuf::Duration ToDuration(double seconds) {
  google::protobuf::Duration duration;
  const double whole = std::floor(seconds);
  const double nanos = std::min(std::round((seconds - whole) * kNanos), kNanos - 1);
  const bool negative = whole < 0 && nanos > 0;  // nanos have the sign of seconds
  duration.set_seconds(static_cast<int64_t>(whole) + (negative ? 1 : 0));
  duration.set_nanos(static_cast<int32_t>(negative ? nanos - kNanos : nanos));
  return duration;
}

}  // namespace aisivi
