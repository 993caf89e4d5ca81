#include "engine/methods/methods.h"

#include "absl/strings/str_cat.h"
#include "engine/methods/kpg.h"
#include "engine/methods/kpg_is.h"
#include "engine/methods/ksivi.h"
#include "engine/methods/path_gradient.h"
#include "engine/methods/sivi.h"
#include "engine/methods/uivi.h"

namespace aisivi {
namespace {

template <EstimateFunction estimate, bool uses_own_epsilon>
std::unique_ptr<Objective> Score(const ObjectiveOptions& options) {
  return std::make_unique<PathGradient>(estimate, uses_own_epsilon, options);
}

template <typename T>
std::unique_ptr<Objective> Make(const ObjectiveOptions& options) {
  return std::make_unique<T>(options);
}

}  // namespace

const std::vector<MethodEntry>& MethodRegistry() {
  static const auto* const kMethods = new std::vector<MethodEntry>{
      {.name = "aisivi",
       .doc = "importance sampling from a learned conditional flow (arXiv 2506.03839)",
       .objective = Score<ProposalPass, false>,
       .estimate = ProposalPass,
       .needs_proposal = true},
      {.name = "bsivi",
       .doc = "inner samples from the prior of ε, shared by all points (arXiv 2506.03839)",
       .objective = Score<PriorPass, true>,
       .estimate = PriorPass,
       .uses_own_epsilon = true},
      {.name = "iwhvi",
       .doc = "importance sampling from a Gaussian whose mean and scale are a network of z "
              "(Sobolev & Vetrov, NeurIPS 2019, as a score method)",
       .objective = Score<ProposalPass, false>,
       .estimate = ProposalPass,
       .needs_proposal = true},
      {.name = "uivi",
       .doc = "latents from Hamiltonian chains given each point (Titsias & Ruiz, AISTATS 2019)",
       .objective = Make<Uivi>,
       .one_component = true},
      {.name = "pvi",
       .doc = "a mixing measure of particles that move (Lim & Johansen, NeurIPS 2024)",
       .objective = Score<PriorPass, false>,
       .estimate = PriorPass,
       .particles = true},
      {.name = "sivi",
       .doc = "the surrogate bound of K inner samples (Yin & Zhou, ICML 2018)",
       .objective = Make<Sivi>,
       .one_component = true,
       .keeps_inner = true},
      {.name = "ksivi",
       .doc = "kernel Stein discrepancy (arXiv 2405.18997)",
       .objective = Make<Ksivi>,
       .one_component = true,
       .compares_pairs = true},
      {.name = "kpg",
       .doc = "path gradients smoothed by a kernel (arXiv 2506.05088)",
       .objective = Make<Kpg>,
       .one_component = true,
       .compares_pairs = true},
      {.name = "kpg_is",
       .doc = "the same over points drawn near each (arXiv 2506.05088)",
       .objective = Make<KpgIs>,
       .needs_proposal = true,
       .one_component = true,
       .keeps_inner = true,
       .inner_of_each = true},
      {.name = "gaussian", .doc = "the best single Gaussian of the warm start, with no training"},
      {.name = "reference",
       .doc = "draws and log Z by annealed sequential Monte Carlo from the start's mixture",
       .samples = true},
  };
  return *kMethods;
}

absl::StatusOr<const MethodEntry*> FindMethod(std::string_view name) {
  std::string names;
  for (const MethodEntry& method : MethodRegistry()) {
    if (method.name == name) return &method;
    absl::StrAppend(&names, names.empty() ? "" : ", ", method.name);
  }
  return absl::NotFoundError(
      absl::StrCat("method: \"", std::string(name), "\" is not one of ", names));
}

}  // namespace aisivi
