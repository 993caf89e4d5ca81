#include "server/convert/variables.h"

namespace aisivi::server {

void AppendVariables(const std::vector<Variable>& variables,
                     google::protobuf::RepeatedPtrField<v1::Variable>* messages) {
  for (const Variable& variable : variables) {
    v1::Variable* message = messages->Add();
    message->set_name(variable.name);
    message->mutable_shape()->Add(variable.shape.begin(), variable.shape.end());
    message->mutable_labels()->Add(variable.labels.begin(), variable.labels.end());
    message->set_derived(variable.derived);
  }
}

int64_t ElementCount(const google::protobuf::RepeatedPtrField<v1::Variable>& variables) {
  int64_t elements = 0;
  for (const v1::Variable& variable : variables) {
    int64_t count = 1;
    for (const int64_t size : variable.shape()) count *= size;
    elements += count;
  }
  return elements;
}

}  // namespace aisivi::server
