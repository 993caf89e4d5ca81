#include "engine/targets/target.h"

#include "engine/targets/builtin.h"

namespace aisivi {

std::vector<std::string> Target::CoordinateNames() const { return NumberedNames("z", dim()); }

}  // namespace aisivi
