#include "engine/evidence/verdict.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "engine/evidence/pareto.h"

namespace aisivi {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kGoodTail = 0.5, kUsableTail = 0.7;
constexpr double kEvenShare = 0.5;
constexpr double kGoodError = 0.05, kUsableError = 0.25;  // nats
constexpr double kGoodRHat = 1.01, kUsableRHat = 1.05;
constexpr double kGoodEss = 400, kUsableEss = 100;
constexpr double kUsableKernelBias = 0.5;                  // total variation
constexpr double kGoodUnseen = 0.02, kUsableUnseen = 0.1;  // of Ẑ
constexpr int64_t kFewestDraws = 25;
constexpr char kModeSearchName[] = "mode_search";
constexpr double kUsableUnmet = 0.2;
constexpr double kLeastGap = 1e-4;  // nats; less is not worth telling people

Verdict Compare(double value, double good, double usable, bool at_least) {
  const auto passes = [&](double threshold) {
    return at_least ? value >= threshold : value <= threshold;
  };
  return passes(good) ? Verdict::kGood : passes(usable) ? Verdict::kUsable : Verdict::kDoNotTrust;
}

Criterion AtMost(const std::string& name, double value, double good, double usable,
                 const std::string& explanation) {
  return {name,       value, good, usable, /*at_least=*/false, Compare(value, good, usable, false),
          explanation};
}

bool TooFewToTell(const EvidenceEstimate& e) {
  return e.draws < kFewestDraws || std::isnan(e.pareto_k) || std::isnan(e.ess);
}

// u of the header.
double UnseenShare(const EvidenceEstimate& e) {
  return (e.largest_weight - 1) / static_cast<double>(e.draws) * TailBeyond(e.pareto_k);
}

Criterion Tail(const EvidenceEstimate& e) {
  Criterion criterion = AtMost("pareto_k", e.pareto_k, kGoodTail, kUsableTail,
                               "tail of the importance weights; heavier above");
  criterion.verdict = JudgeTail(e);
  if (TooFewToTell(e)) {
    criterion.explanation = "tail of the importance weights; too few draws to tell";
  } else if (criterion.verdict == Verdict::kGood && e.pareto_k > kGoodTail) {
    criterion.explanation = "tail of the importance weights; harmless, the largest are small";
  }
  return criterion;
}

std::vector<Criterion> EvidenceCriteria(const EvidenceEstimate& e) {
  const double draws = static_cast<double>(e.draws);
  const double share = e.ess / draws;
  std::vector<Criterion> criteria = {
      AtMost("gap", e.log_z - e.elbo_lower, 0.1, 0.5,
             "log Z - ELBO, nats: how far q is from the posterior, KL(q|p)"),
      AtMost("sandwich_width", e.elbo_upper - e.elbo_lower, 0.05, 0.25,
             "between the bounds of the ELBO, nats; more inner samples narrow it"),
      AtMost("log_z_standard_error", e.standard_error, kGoodError, kUsableError,
             "Monte Carlo error of log Z, nats; more draws lower it"),
      {"ess_share", share, 0.5, 0.1, /*at_least=*/true, Compare(share, 0.5, 0.1, true),
       "share of the draws that count after weighting"},
      Tail(e),
      AtMost("non_finite_share", static_cast<double>(e.non_finite) / draws, 0.001, 0.05,
             "share of the draws where the target is zero or not a number"),
  };
  return criteria;
}

std::vector<Criterion> ModelCriteria(const VerdictInput& input) {
  std::vector<Criterion> criteria = EvidenceCriteria(input.evidence);
  if (!std::isnan(input.score_residual)) {
    criteria.push_back(AtMost(
        "score_residual", input.score_residual / static_cast<double>(input.dimension), 1.0,
        kInfinity, "squared error of the score per dimension, in the training that led to q"));
  }
  if (!std::isnan(input.r_hat)) {
    criteria.push_back(AtMost("r_hat", input.r_hat, kGoodRHat, kUsableRHat,
                              "agreement of the restarts; 1: they agree"));
  }
  return criteria;
}

std::vector<Criterion> AnnealingCriteria(const VerdictInput& input) {
  const EvidenceEstimate& e = input.evidence;
  std::vector<Criterion> criteria = {
      AtMost("log_z_standard_error", e.standard_error, kGoodError, kUsableError,
             "error of log Z, nats; more evaluations lower it"),
      AtMost("r_hat", input.r_hat, kGoodRHat, kUsableRHat,
             "agreement of the sampler's islands; 1: they agree"),
      {"ess", e.ess, kGoodEss, kUsableEss, /*at_least=*/true,
       Compare(e.ess, kGoodEss, kUsableEss, true),
       "independent draws that the draws are worth; more evaluations raise it"},
  };
  if (e.wanted_error != 0) {
    criteria.push_back(AtMost("error_ratio", e.standard_error / e.wanted_error, 1, kInfinity,
                              "error of log Z over the one asked for; more evaluations lower it"));
  }
  if (e.kernel_bias != 0) {
    criteria.push_back(
        AtMost("kernel_bias", e.kernel_bias, 0, kUsableKernelBias,
               "error of probabilities by unadjusted moves; smaller steps lower it"));
  }
  return criteria;
}

Criterion ModeSearch(const MultistartReport& search) {
  Criterion criterion = AtMost(kModeSearchName, search.unmet, kUnmet, kUsableUnmet,
                               "estimated share of the modes that no search met");
  if (search.end == MultistartEnd::kComplete) return criterion;
  criterion.explanation = Describe(search);
  criterion.verdict = std::max(Verdict::kUsable, criterion.verdict);
  // Where ends cannot be told apart, counts of them say nothing.
  const bool unknown = search.end == MultistartEnd::kNotMade ||
                       search.end == MultistartEnd::kNoMode ||
                       search.end == MultistartEnd::kTooManyModes;
  if (unknown) {
    criterion.value = kNotAvailable;
    criterion.verdict = Verdict::kUsable;
  }
  return criterion;
}

std::string Threshold(const Criterion& c, double threshold) {
  return absl::StrFormat("%s %g", c.at_least ? "at least" : "at most", threshold);
}

// The criteria that made the verdict, "pareto_k is 0.93 (at most 0.7)".
std::string Reasons(const FitVerdict& verdict) {
  std::vector<std::string> reasons;
  for (const Criterion& c : verdict.criteria) {
    if (c.verdict != verdict.verdict) continue;
    const double threshold = verdict.verdict == Verdict::kUsable ? c.good : c.usable;
    // A threshold that is kept is not what made the verdict: the explanation tells what did.
    const bool kept = c.at_least ? c.value >= threshold : c.value <= threshold;
    if (c.name == kModeSearchName && (kept || std::isnan(c.value))) {
      reasons.push_back(c.explanation);
    } else {
      reasons.push_back(std::isnan(c.value) ? absl::StrCat(c.name, " is unknown")
                                            : absl::StrFormat("%s is %.3g (%s)", c.name, c.value,
                                                              Threshold(c, threshold)));
    }
  }
  return absl::StrJoin(reasons, ", ");
}

std::string Distance(double gap) {
  return gap < kLeastGap ? absl::StrFormat("less than %g nats", kLeastGap)
                         : absl::StrFormat("about %.1g nats", gap);
}

// What a good fit is good at.
std::string Merit(const FitVerdict& verdict, const EvidenceEstimate& evidence) {
  if (evidence.kind == EvidenceKind::kAnnealing) {
    return absl::StrFormat("log Z is known to %.1g nats, and the islands of draws agree,",
                           evidence.standard_error);
  }
  return absl::StrCat("q is ", Distance(verdict.criteria.front().value), " from the posterior");
}

std::string Sentence(const FitVerdict& verdict, const VerdictInput& input) {
  switch (verdict.verdict) {
    case Verdict::kGood:
      return absl::StrCat("Good: ", Merit(verdict, input.evidence),
                          " over what was looked at: ", Describe(input.search), ".");
    case Verdict::kUsable:
      return absl::StrCat("Usable with care: ", Reasons(verdict), ".");
    case Verdict::kDoNotTrust:
      break;
  }
  return absl::StrCat("Do not trust: ", Reasons(verdict), ".");
}

}  // namespace

Verdict JudgeTail(const EvidenceEstimate& e) {
  if (TooFewToTell(e)) return Verdict::kDoNotTrust;
  const double draws = static_cast<double>(e.draws), share = e.ess / draws;
  if (WeightsAreEqual(e)) return Verdict::kGood;
  const Verdict shape = Compare(e.pareto_k, kGoodTail, kUsableTail, /*at_least=*/false);
  if (share < kEvenShare) return shape;
  return std::min(shape, Compare(UnseenShare(e), kGoodUnseen, kUsableUnseen, /*at_least=*/false));
}

FitVerdict JudgeFit(const VerdictInput& input) {
  FitVerdict result;
  if (std::isnan(input.evidence.log_z)) {
    result.sentence = "Do not trust: the evidence was not estimated, so nothing is known.";
    return result;
  }
  result.criteria = input.evidence.kind == EvidenceKind::kAnnealing ? AnnealingCriteria(input)
                                                                    : ModelCriteria(input);
  result.criteria.push_back(ModeSearch(input.search));
  result.verdict = Verdict::kGood;
  for (const Criterion& c : result.criteria) result.verdict = std::max(result.verdict, c.verdict);
  result.sentence = Sentence(result, input);
  return result;
}

}  // namespace aisivi
