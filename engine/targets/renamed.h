// A target whose variables have labels.
#pragma once

#include <memory>
#include <vector>

#include "engine/targets/target.h"

namespace aisivi {

// `variables`: those of `target`, some with labels. What has labels are the coordinates of z
// untransformed, which take the same names.
std::unique_ptr<const Target> Renamed(std::unique_ptr<const Target> target,
                                      std::vector<Variable> variables);

}  // namespace aisivi
