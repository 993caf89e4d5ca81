#include "engine/targets/target.h"

#include "engine/targets/builtin.h"

namespace aisivi {

std::vector<std::string> Target::CoordinateNames() const { return NumberedNames("z", dim()); }

std::vector<Variable> Target::Variables() const {
  const std::vector<std::string> names = CoordinateNames();
  if (names == NumberedNames("z", dim())) return {{"z", {dim()}, {}, false}};
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
