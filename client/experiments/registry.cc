#include "client/experiments/registry.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "client/experiments/ablation_k.h"
#include "client/experiments/architecture.h"
#include "client/experiments/convergence.h"
#include "client/experiments/diffusion.h"
#include "client/experiments/dimension.h"
#include "client/experiments/logistic.h"
#include "client/experiments/peers.h"
#include "client/experiments/significance.h"
#include "client/experiments/toy.h"

namespace aisivi::experiments {

const std::vector<ExperimentEntry>& ExperimentRegistry() {
  static const auto* const kExperiments = new std::vector<ExperimentEntry>{
      {"toy",
       "the paper's 2-D targets: histograms beside true densities, forward and reverse KL",
       {"target"},
       RunToy},
      {"convergence",
       "training metrics against iterations, and where the stopping rule stopped",
       {"target"},
       RunConvergence},
      {"significance",
       "paired tests of two methods over several seeds: log evidence and gap",
       {"methods", "target"},
       RunSignificance},
      {"diffusion",
       "the 100-D conditioned diffusion by all methods: log ML, evidence gap, paths with bands",
       {"methods", "reference"},
       RunDiffusion},
      {"logistic",
       "logistic regression by all methods: log evidence, gap, marginals and correlations",
       {"methods", "reference", "data"},
       RunLogistic},
      {"ablation-k",
       "the estimate of the score against the inner samples k: variance, bias, time and memory",
       {"data"},
       RunAblationK},
      {"dimension",
       "inner samples that the score needs against the dimension: are they exponential in it?",
       {"target"},
       RunDimension},
      {"architecture",
       "6, 16 and 32 coupling layers in the proposal: quality against cost",
       {"target"},
       RunArchitecture},
      {"peers",
       "our fits beside NUTS and bridge sampling, where R has them: seconds, gradients, log Z",
       {"target", "data"},
       RunPeers},
  };
  return *kExperiments;
}

absl::StatusOr<const ExperimentEntry*> FindExperiment(absl::string_view name) {
  std::vector<std::string> names;
  for (const ExperimentEntry& entry : ExperimentRegistry()) {
    if (entry.name == name) return &entry;
    names.push_back(entry.name);
  }
  return absl::NotFoundError(
      absl::StrCat("NAME: '", name, "' is not one of ", absl::StrJoin(names, ", ")));
}

absl::Status CheckFlags(const ExperimentEntry& entry, const Settings& settings) {
  const std::pair<const char*, bool> given[] = {{"methods", !settings.methods.empty()},
                                                {"target", !settings.target.empty()},
                                                {"reference", !settings.reference.empty()},
                                                {"data", !settings.data.empty()}};
  for (const auto& [flag, is_given] : given) {
    const bool taken = std::find(entry.flags.begin(), entry.flags.end(), flag) != entry.flags.end();
    if (is_given && !taken) {
      return absl::InvalidArgumentError(
          absl::StrCat("--", flag, ": the experiment ", entry.name, " does not take it"));
    }
  }
  return absl::OkStatus();
}

}  // namespace aisivi::experiments
