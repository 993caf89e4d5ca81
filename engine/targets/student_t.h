// Independent Student-t coordinates, linearly mixed.
//
//   z = A t,   t_i ~ Student-t(ν) independent,   |det A| = 1,   log Z = 0
//   log p(z) = Σ_i [log Γ((ν+1)/2) − log Γ(ν/2) − ½ log νπ − (ν+1)/2 log(1 + t_i²/ν)] − log|det A|
//   score    = A⁻ᵀ g,   g_i = −(ν+1) t_i / (ν + t_i²),   t = A⁻¹ z
//
// A: D×D, the identity when not given.
#pragma once

#include "engine/targets/builtin.h"

namespace aisivi {

BuiltinSpec StudentTSpec();

}  // namespace aisivi
