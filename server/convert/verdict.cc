#include "server/convert/verdict.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace aisivi::server {
namespace {

v1::FitVerdict::Grade ToMessage(Verdict verdict) {
  switch (verdict) {
    case Verdict::kGood:
      return v1::FitVerdict::GRADE_GOOD;
    case Verdict::kUsable:
      return v1::FitVerdict::GRADE_USABLE;
    case Verdict::kDoNotTrust:
      return v1::FitVerdict::GRADE_DO_NOT_TRUST;
  }
  return v1::FitVerdict::GRADE_UNSPECIFIED;
}

constexpr std::pair<MultistartEnd, v1::ModeSearch::End> kEnds[] = {
    {MultistartEnd::kNotMade, v1::ModeSearch::END_NOT_MADE},
    {MultistartEnd::kComplete, v1::ModeSearch::END_COMPLETE},
    {MultistartEnd::kTooManyModes, v1::ModeSearch::END_TOO_MANY_MODES},
    {MultistartEnd::kOutOfWork, v1::ModeSearch::END_OUT_OF_WORK},
    {MultistartEnd::kNoMode, v1::ModeSearch::END_NO_MODE},
    {MultistartEnd::kNotFitted, v1::ModeSearch::END_NOT_FITTED},
};

v1::ModeSearch::End ToMessage(MultistartEnd end) {
  for (const auto& [own, message] : kEnds) {
    if (own == end) return message;
  }
  return v1::ModeSearch::END_UNSPECIFIED;
}

MultistartEnd FromMessage(v1::ModeSearch::End end) {
  for (const auto& [own, message] : kEnds) {
    if (message == end) return own;
  }
  return MultistartEnd::kNotMade;
}

}  // namespace

v1::ModeSearch ToMessage(const MultistartReport& search) {
  v1::ModeSearch message;
  message.set_end(ToMessage(search.end));
  message.set_searches(search.searches);
  message.set_modes(search.modes);
  message.set_radius(search.radius);
  message.set_unmet(search.unmet);
  message.set_evaluations(search.evaluations);
  return message;
}

MultistartReport FromMessage(const v1::ModeSearch& message) {
  return {.end = FromMessage(message.end()),
          .searches = message.searches(),
          .modes = message.modes(),
          .radius = message.radius(),
          .unmet = message.unmet(),
          .evaluations = message.evaluations()};
}

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
  if (fit.has_mode_search()) input.search = FromMessage(fit.mode_search());
  return ToMessage(JudgeFit(input));
}

}  // namespace aisivi::server
