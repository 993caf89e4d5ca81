// Requests that are too large, refused with the name of the field that makes them so.
//
// The transport refuses a message above twice the limit unread; one between the limit and that is
// read, and refused here, where its largest field can be named.
#pragma once

#include <cstdint>

#include "absl/status/status.h"
#include "google/protobuf/message.h"

namespace aisivi::server {

// INVALID_ARGUMENT at the largest field when `request` has more than `limit` bytes.
absl::Status CheckRequestSize(const google::protobuf::Message& request, int64_t limit);

}  // namespace aisivi::server
