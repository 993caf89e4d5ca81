#include "client/experiments/method_plan.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "client/experiments/statistics.h"
#include "client/experiments/variant.h"

namespace aisivi::experiments {
namespace {

// A method, and the preset; empty: the defaults.
using Way = std::pair<std::string, std::string>;

std::vector<Way> Ways(const Settings& settings, const std::string& subject) {
  std::vector<std::string> methods = settings.methods;
  if (methods.empty()) {
    methods = {"aisivi", "bsivi", "iwhvi",  "uivi",     "pvi",      "sivi",
               "ksivi",  "kpg",   "kpg_is", "gaussian", "reference"};
  }
  std::vector<Way> ways;
  for (const std::string& method : methods) {
    ways.emplace_back(method, "");
    const bool published = method == "aisivi" || method == "bsivi" || method == "ksivi";
    if (!IsQuick(settings) && published) {
      ways.emplace_back(method, absl::StrCat(method, "_", subject));
    }
  }
  return ways;
}

}  // namespace

std::vector<PlannedFit> PlanMethods(const Settings& settings, const MethodPlan& plan) {
  std::vector<PlannedFit> fits;
  for (const auto& [method, preset] : Ways(settings, plan.subject)) {
    const int64_t seeds = SeedCount(settings, plan.quick_seeds, plan.paper_seeds);
    for (int64_t seed = 1; seed <= seeds; ++seed) {
      PlannedFit fit;
      fit.key = {plan.target, method, preset, JoinSets(settings.set), static_cast<uint64_t>(seed)};
      fit.title = absl::StrCat(plan.subject, ", ", WayTitle(fit.key), ", seed ", seed);
      fit.target = plan.spec;
      fits.push_back(std::move(fit));
    }
  }
  return fits;
}

std::vector<ResultGroup> GroupResults(const std::vector<FitResult>& results) {
  std::vector<ResultGroup> groups;
  for (const FitResult& result : results) {
    if (groups.empty() || groups.back().key.method != result.key.method ||
        groups.back().key.preset != result.key.preset) {
      groups.push_back({result.key, 0, {}});
    }
    ++groups.back().seeds;
    if (result.state == "SUCCEEDED") groups.back().succeeded.push_back(result);
  }
  return groups;
}

std::string WayTitle(const FitKey& key) {
  return absl::StrCat(key.method, key.preset.empty() ? ", defaults" : ", authors' preset");
}

std::string SeedsOf(const ResultGroup& group) {
  const auto succeeded = static_cast<int>(group.succeeded.size());
  if (succeeded == group.seeds) return absl::StrCat(succeeded);
  return absl::StrCat(succeeded, " of ", group.seeds);
}

std::vector<double> ValuesOf(const ResultGroup& group, double (*value)(const FitResult&)) {
  std::vector<double> values;
  for (const FitResult& result : group.succeeded) values.push_back(value(result));
  return Finite(values);
}

std::vector<double> ValuesOf(const ResultGroup& group, const std::string& measure) {
  std::vector<double> values;
  for (const FitResult& result : group.succeeded) values.push_back(MeasureOf(result, measure));
  return Finite(values);
}

std::string SameResults(const std::vector<ResultGroup>& groups) {
  std::string text;
  std::vector<bool> told(groups.size());
  for (size_t i = 0; i < groups.size(); ++i) {
    if (told[i] || groups[i].succeeded.empty()) continue;
    const FitResult& first = groups[i].succeeded[0];
    std::vector<std::string> same = {WayTitle(groups[i].key)};
    for (size_t j = i + 1; j < groups.size(); ++j) {
      if (groups[j].succeeded.empty()) continue;
      const FitResult& other = groups[j].succeeded[0];
      // NaN, where there is no ELBO, is never the same.
      if (first.elbo_lower != other.elbo_lower || first.log_z != other.log_z) continue;
      same.push_back(WayTitle(groups[j].key));
      told[j] = true;
    }
    if (same.size() < 2) continue;
    absl::StrAppend(&text, text.empty() ? "" : " ", "The results of ", absl::StrJoin(same, "; "),
                    " are the same to the last digit: training did not improve on the start, which "
                    "they share, so that these rows do not tell the methods apart.");
  }
  return text;
}

int CountGood(const ResultGroup& group) {
  return static_cast<int>(
      std::count_if(group.succeeded.begin(), group.succeeded.end(),
                    [](const FitResult& result) { return result.grade == "GOOD"; }));
}

}  // namespace aisivi::experiments
