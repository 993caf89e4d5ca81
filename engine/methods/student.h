// Student's t distribution, as far as intervals need it.
#pragma once

#include <cstdint>

namespace aisivi {

// The point that Student's t with so many degrees of freedom (≥ 1) stays within, on both sides,
// with probability 0.95; 1.96 in the limit. Exact to the digits of the usual tables up to 15, from
// there on by the expansion of Cornish & Fisher, to 1e-3.
double StudentReach(int64_t degrees);

// Its limit.
inline constexpr double kNormalReach = 1.959963984540054;

}  // namespace aisivi
