#include "client/experiments/fit_result.h"

#include <cmath>

#include "absl/strings/str_cat.h"
#include "client/cli/output.h"
#include "client/experiments/fingerprint.h"
#include "client/names.h"

namespace aisivi::experiments {

std::string FileStem(const FitKey& key) {
  const std::string stem = absl::StrCat(
      key.target, "_", key.preset.empty() ? key.method : key.preset, "_seed", key.seed);
  if (key.set.empty()) return stem;
  return absl::StrCat(stem, "_", Fingerprint(key.set));
}

FitResult ToResult(const FitKey& key, const v1::Fit& fit) {
  const auto value = [](bool has, double number) { return has ? number : kNotMeasured; };
  const v1::LogEvidence& evidence = fit.evidence();
  FitResult result;
  result.key = key;
  result.state = ShortName(fit.state());
  result.reason = ShortName(fit.termination_reason());
  result.grade = ShortName(fit.verdict().grade());
  result.seconds = cli::RunSeconds(fit);
  result.log_z = value(evidence.has_log_z(), evidence.log_z());
  result.log_z_se = value(evidence.has_standard_error(), evidence.standard_error());
  result.elbo_lower = value(evidence.has_elbo_lower(), evidence.elbo_lower());
  result.elbo_lower_se = value(evidence.has_elbo_lower_se(), evidence.elbo_lower_se());
  result.elbo_upper = value(evidence.has_elbo_upper(), evidence.elbo_upper());
  result.ess_share = value(evidence.has_ess() && evidence.draws() > 0,
                           evidence.ess() / static_cast<double>(evidence.draws()));
  result.pareto_k = value(evidence.has_pareto_k(), evidence.pareto_k());
  result.score_residual = value(fit.has_score_residual(), fit.score_residual());
  result.known_log_z = value(fit.has_known_log_z(), fit.known_log_z());
  return result;
}

double Gap(const FitResult& result) {
  const double log_z = std::isnan(result.known_log_z) ? result.log_z : result.known_log_z;
  return log_z - result.elbo_lower;
}

double MeasureOf(const FitResult& result, const std::string& name) {
  const auto found = result.measures.find(name);
  return found == result.measures.end() ? kNotMeasured : found->second;
}

}  // namespace aisivi::experiments
