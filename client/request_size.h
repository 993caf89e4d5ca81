// What a request that is too large for the service is full of.
#pragma once

#include <google/protobuf/message.h>

#include <string>

namespace aisivi {

// The path of the largest field, for instance "target.logistic_regression.x": from the message down
// for as long as one field holds more than half of what is above it. A matrix counts as one field.
std::string LargestField(const google::protobuf::Message& message);

}  // namespace aisivi
