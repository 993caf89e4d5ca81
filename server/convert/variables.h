// The variables of a target as messages.
#pragma once

#include <vector>

#include "aisivi/v1/parameter.pb.h"
#include "engine/transforms/parameter.h"
#include "google/protobuf/repeated_ptr_field.h"

namespace aisivi::server {

void AppendVariables(const std::vector<Variable>& variables,
                     google::protobuf::RepeatedPtrField<v1::Variable>* messages);

// The number of their elements.
int64_t ElementCount(const google::protobuf::RepeatedPtrField<v1::Variable>& variables);

}  // namespace aisivi::server
