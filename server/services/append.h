// Eigen's numbers at the end of a message's list, in their order of memory.
#pragma once

#include <google/protobuf/repeated_field.h>

#include <Eigen/Core>

namespace aisivi::server {

template <typename Derived>
void Append(const Eigen::PlainObjectBase<Derived>& values,
            google::protobuf::RepeatedField<double>* field) {
  field->Add(values.data(), values.data() + values.size());
}

}  // namespace aisivi::server
