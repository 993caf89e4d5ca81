// What a refusal says about the fields of a request.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "google/rpc/error_details.pb.h"

namespace aisivi::server::test {

// The fields that the status names, in its order.
inline std::vector<std::string> Fields(const absl::Status& status) {
  const auto payload = status.GetPayload("type.googleapis.com/google.rpc.BadRequest");
  google::rpc::BadRequest bad_request;
  std::vector<std::string> fields;
  if (!payload.has_value() || !bad_request.ParseFromString(std::string(*payload))) return fields;
  for (const auto& violation : bad_request.field_violations()) fields.push_back(violation.field());
  return fields;
}

}  // namespace aisivi::server::test
