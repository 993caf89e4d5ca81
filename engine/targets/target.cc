#include "engine/targets/target.h"

#include "engine/transforms/names.h"

namespace aisivi {

std::vector<std::string> Target::CoordinateNames() const {
  return ElementNames(Variable{"z", {dim()}, {}, false});
}

std::vector<Variable> Target::Variables() const {
  const std::vector<std::string> names = CoordinateNames();
  if (names == Target::CoordinateNames()) return {{"z", {dim()}, {}, false}};
  std::vector<Variable> variables;
  for (const std::string& name : names) variables.push_back({name, {}, {}, false});
  return variables;
}

absl::Status Target::Constrain(const Eigen::Ref<const Eigen::MatrixXd>& z, uint64_t /*seed*/,
                               int64_t /*first*/, Eigen::MatrixXd* values) const {
  *values = z;
  return absl::OkStatus();
}

}  // namespace aisivi
