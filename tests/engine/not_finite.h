// The values that a computation must survive.
#pragma once

#include <limits>

namespace aisivi::test {

inline constexpr double kInfinity = std::numeric_limits<double>::infinity();
inline constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

}  // namespace aisivi::test
