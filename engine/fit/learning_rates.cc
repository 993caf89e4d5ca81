#include "engine/fit/learning_rates.h"

#include <algorithm>
#include <cmath>

namespace aisivi {
namespace {

constexpr double kFallNats = 0.02, kFallShare = 0.5;   // of the best state's estimated gap
constexpr double kRiseNats = 0.02, kRiseShare = 0.05;  // of the state's estimated gap
constexpr double kRaise = 1.5, kHighest = 4;
constexpr double kRiseSteps = 50;  // over which the rates rise after they were halved

}  // namespace

double RateFactor(const LearningRates& rates, const Schedule& schedule, int64_t steps) {
  const double rise = static_cast<double>(steps - rates.halved_at + 1) / kRiseSteps;
  return rates.factor * schedule.RateFactor(steps) *
         (rates.halved_at > 0 ? std::min(1.0, rise) : 1.0);
}

RateDecision DecideRates(const FitOptions& options, const Schedule& schedule,
                         const LearningRates& rates, const CheckReport& report, double best_elbo,
                         double best_gap) {
  if (options.decay_every > 0) return RateDecision::kKeep;  // rates as published
  const double rise = report.elbo - best_elbo;
  if (!(rise > -std::fmax(kFallNats, kFallShare * best_gap))) return RateDecision::kHalve;
  const bool may_rise =
      options.adaptive && rates.halved_at == 0 && !schedule.descending() && rates.factor < kHighest;
  return may_rise && rise > std::fmax(kRiseNats, kRiseShare * report.gap) ? RateDecision::kRaise
                                                                          : RateDecision::kKeep;
}

void Raise(LearningRates* rates) { rates->factor = std::min(kHighest, kRaise * rates->factor); }

void Halve(int64_t steps, LearningRates* rates) {
  rates->factor /= 2;
  rates->halved_at = steps;
}

}  // namespace aisivi
