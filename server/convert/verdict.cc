#include "server/convert/verdict.h"

#include <algorithm>
#include <cmath>

namespace aisivi::server {
namespace {

v1::FitVerdict::Grade ToMessage(Verdict verdict) {
  switch (verdict) {
    case Verdict::kGood:
      return v1::FitVerdict::GOOD;
    case Verdict::kUsable:
      return v1::FitVerdict::USABLE;
    case Verdict::kDoNotTrust:
      return v1::FitVerdict::DO_NOT_TRUST;
  }
  return v1::FitVerdict::GRADE_UNSPECIFIED;
}

}  // namespace

v1::FitVerdict ToMessage(const FitVerdict& verdict) {
  v1::FitVerdict message;
  message.set_grade(ToMessage(verdict.verdict));
  message.set_sentence(verdict.sentence);
  for (const Criterion& criterion : verdict.criteria) {
    v1::FitVerdict::Criterion* to = message.add_criteria();
    to->set_name(criterion.name);
    if (!std::isnan(criterion.value)) to->set_value(criterion.value);
    to->set_good_threshold(criterion.good);
    if (std::isfinite(criterion.usable)) to->set_usable_threshold(criterion.usable);
    to->set_at_least(criterion.at_least);
    to->set_grade(ToMessage(criterion.verdict));
    to->set_explanation(criterion.explanation);
  }
  return message;
}

v1::FitVerdict JudgeFitBy(const EvidenceEstimate& evidence, const v1::Fit& fit) {
  VerdictInput input;
  input.evidence = evidence;
  if (fit.has_score_residual()) input.score_residual = fit.score_residual();
  input.dimension = std::max(1, fit.dimension());
  if (fit.has_r_hat()) input.r_hat = fit.r_hat();
  return ToMessage(JudgeFit(input));
}

}  // namespace aisivi::server
