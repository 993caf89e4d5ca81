// What messages of the API are called among people.
#pragma once

#include <google/protobuf/generated_enum_reflection.h>

#include <string>

#include "aisivi/v1/fit.pb.h"

namespace aisivi {

// "TIME_LIMIT" of TERMINATION_REASON_TIME_LIMIT; the number of a value that this client does not
// know.
std::string ShortName(const google::protobuf::EnumDescriptor* type, int value);
template <typename Enum>
std::string ShortName(Enum value) {
  return ShortName(google::protobuf::GetEnumDescriptor<Enum>(), static_cast<int>(value));
}

// "TERMINATION_REASON_" of Fit.TerminationReason: what the names of its values begin with.
std::string EnumPrefix(const google::protobuf::EnumDescriptor* type);

// The method of a fit that the service has accepted, or else the one asked for: for instance
// "aisivi"; empty when none is set.
std::string MethodName(const v1::Fit& fit);

double ToSeconds(const google::protobuf::Duration& duration);
google::protobuf::Duration ToDuration(double seconds);

}  // namespace aisivi
