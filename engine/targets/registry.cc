#include "engine/targets/registry.h"

#include <algorithm>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "engine/targets/banana.h"
#include "engine/targets/bayesian_neural_network.h"
#include "engine/targets/builtin.h"
#include "engine/targets/conditioned_diffusion.h"
#include "engine/targets/eight_bananas.h"
#include "engine/targets/eight_schools.h"
#include "engine/targets/funnel.h"
#include "engine/targets/gaussian.h"
#include "engine/targets/gaussian_mixture.h"
#include "engine/targets/linear_regression.h"
#include "engine/targets/logistic_regression.h"
#include "engine/targets/poisson_regression.h"
#include "engine/targets/standard_mixtures.h"
#include "engine/targets/student_t.h"

namespace aisivi {
namespace {

using SpecFunction = BuiltinSpec (*)();

// The table: a new target is one line here.
constexpr SpecFunction kSpecs[] = {
    BananaSpec,
    BayesianNeuralNetworkSpec,
    ConditionedDiffusionSpec,
    EightBananasSpec,
    EightGaussiansSpec,
    EightSchoolsSpec,
    FunnelSpec,
    GaussianSpec,
    GaussianGridSpec,
    GaussianMixtureSpec,
    LinearRegressionSpec,
    LogisticRegressionSpec,
    MultimodalSpec,
    PoissonRegressionSpec,
    StudentTSpec,
    XShapedSpec,
};

std::vector<TargetEntry>* BuildRegistry() {
  auto* entries = new std::vector<TargetEntry>;
  for (SpecFunction spec : kSpecs) entries->push_back(MakeEntry(spec()));
  std::sort(entries->begin(), entries->end(),
            [](const TargetEntry& a, const TargetEntry& b) { return a.name < b.name; });
  return entries;
}

}  // namespace

const std::vector<TargetEntry>& TargetRegistry() {
  static const std::vector<TargetEntry>* const kRegistry = BuildRegistry();
  return *kRegistry;
}

absl::StatusOr<const TargetEntry*> FindTarget(std::string_view name) {
  std::string names;
  for (const TargetEntry& entry : TargetRegistry()) {
    if (entry.name == name) return &entry;
    absl::StrAppend(&names, names.empty() ? "" : ", ", entry.name);
  }
  return absl::NotFoundError(
      absl::StrCat("no target \"", std::string(name), "\"; there are: ", names));
}

absl::StatusOr<std::unique_ptr<const Target>> MakeTarget(std::string_view name,
                                                         const TargetParameters& parameters) {
  absl::StatusOr<const TargetEntry*> entry = FindTarget(name);
  if (!entry.ok()) return entry.status();
  return (*entry)->make(parameters);
}

}  // namespace aisivi
