#include "engine/proposal/couplings.h"

#include "engine/proposal/coupling.h"
#include "engine/proposal/rational_quadratic.h"
#include "engine/proposal/spline_coupling.h"

namespace aisivi {

const std::vector<CouplingEntry>& CouplingRegistry() {
  static const auto* const kRegistry = new std::vector<CouplingEntry>{
      {"affine", "a scale and a shift", 2, 2,
       [](const CouplingPlace& place, bool identity_start) -> std::shared_ptr<const CouplingLayer> {
         return std::make_shared<Coupling>(place, identity_start);
       }},
      {"spline", "a monotone rational-quadratic spline (arXiv 1906.04032)", 1, kSplineOutputs,
       [](const CouplingPlace& place, bool) -> std::shared_ptr<const CouplingLayer> {
         return std::make_shared<SplineCoupling>(place);
       }},
  };
  return *kRegistry;
}

std::vector<std::string> CouplingNames() {
  std::vector<std::string> names;
  for (const CouplingEntry& entry : CouplingRegistry()) names.push_back(entry.name);
  return names;
}

CouplingKind FindCoupling(std::string_view name) {
  const std::vector<CouplingEntry>& all = CouplingRegistry();
  for (size_t i = 0; i < all.size(); ++i) {
    if (all[i].name == name) return static_cast<CouplingKind>(i);
  }
  return CouplingKind::kAffine;
}

const CouplingEntry& EntryOf(CouplingKind kind) {
  return CouplingRegistry()[static_cast<size_t>(kind)];
}

}  // namespace aisivi
