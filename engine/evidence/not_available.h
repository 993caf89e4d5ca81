// The value of a number that is not known (yet).
#pragma once

#include <limits>

namespace aisivi {

inline constexpr double kNotAvailable = std::numeric_limits<double>::quiet_NaN();

}  // namespace aisivi
