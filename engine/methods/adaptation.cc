#include "engine/methods/adaptation.h"

namespace aisivi {
namespace {

constexpr int64_t kSteps = 50;  // between two decisions
constexpr double kNoisy = 0.5, kQuiet = 0.1;
constexpr int64_t kMostSamples = 8;  // times what was asked for; and the least is its inverse
constexpr int64_t kFewestSamples = 8;
constexpr double kMostFlop = 2e9;
constexpr double kLowEss = 0.5, kHighEss = 0.8, kNearExactEss = 0.9;
constexpr int64_t kMostFlowSteps = 4;  // times what was asked for

}  // namespace

Adaptation BeginAdaptation(int64_t inner_samples, int64_t flow_steps) {
  return {.asked_inner_samples = inner_samples,
          .asked_flow_steps = flow_steps,
          .total_inner_samples = inner_samples,
          .flow_steps = flow_steps};
}

bool RecordStep(double ess, double median_residual, Adaptation* adaptation) {
  adaptation->ess += ess;
  adaptation->median_residual += median_residual;
  return ++adaptation->steps >= kSteps;
}

void Adapt(double score_noise, double step_flop, Adaptation* adaptation) {
  const double steps = static_cast<double>(adaptation->steps);
  const double ess = adaptation->ess / steps, residual = adaptation->median_residual / steps;
  adaptation->steps = 0;
  adaptation->ess = adaptation->median_residual = 0;
  int64_t& flow_steps = adaptation->flow_steps;
  const int64_t asked_steps = adaptation->asked_flow_steps;
  if (asked_steps > 0) {
    if (ess < kLowEss && flow_steps < kMostFlowSteps * asked_steps) ++flow_steps;
    if (ess > kHighEss && flow_steps > asked_steps) --flow_steps;
  }
  const int64_t asked = adaptation->asked_inner_samples;
  int64_t& samples = adaptation->total_inner_samples;
  if (score_noise > kNoisy * residual && samples < kMostSamples * asked &&
      2 * step_flop < kMostFlop) {
    samples *= 2;
  } else if (score_noise < kQuiet * residual && ess > kNearExactEss &&
             kMostSamples * samples > asked && samples >= 2 * kFewestSamples) {
    samples /= 2;
  }
}

}  // namespace aisivi
