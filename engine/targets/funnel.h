// Neal's funnel.
//
//   v ~ N(0, 9),   x_i | v ~ N(0, eᵛ),  i = 1 … D−1;   z = (v, x),   log Z = 0
//   ∂/∂v = −v/9 − (D−1)/2 + ½ e⁻ᵛ Σx²,   ∂/∂x_i = −x_i e⁻ᵛ
//
// Source: R. M. Neal, Slice sampling, Annals of Statistics 31(3), 2003, section 8.
#pragma once

#include "engine/targets/builtin.h"

namespace aisivi {

BuiltinSpec FunnelSpec();

}  // namespace aisivi
