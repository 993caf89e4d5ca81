// The kinds of couplings that a proposal can be made of.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/proposal/coupling_layer.h"

namespace aisivi {

// A kind is its place in CouplingRegistry(); the numbers are part of model files.
enum class CouplingKind : uint8_t { kAffine = 0, kSpline = 1 };

struct CouplingEntry {
  std::string name;  // the value of FitOptions::coupling
  std::string doc;
  int64_t networks;  // of hidden units each, in a coupling
  int64_t outputs;   // of all of them, for each coordinate that the coupling changes
  // identity_start: see coupling.h.
  std::shared_ptr<const CouplingLayer> (*make)(const CouplingPlace& place, bool identity_start);
};

const std::vector<CouplingEntry>& CouplingRegistry();
std::vector<std::string> CouplingNames();
// kAffine for a name that is not in the list.
CouplingKind FindCoupling(std::string_view name);
const CouplingEntry& EntryOf(CouplingKind kind);

}  // namespace aisivi
