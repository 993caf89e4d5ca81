#include "engine/methods/path_gradient.h"

namespace aisivi {
namespace {

constexpr uint32_t kSecondSet = 1u << 31;  // iterations stay below

}  // namespace

PathGradient::PathGradient(EstimateFunction estimate, bool uses_own_epsilon,
                           const ObjectiveOptions& options)
    : estimate_(estimate), uses_own_epsilon_(uses_own_epsilon), options_(options) {}

MarginalRequest PathGradient::Request(const StepInput& input, uint32_t iteration,
                                      int64_t samples) const {
  return {.state = &input.model,
          .z = &input.points.z,
          .origin = &input.points.origin,
          .estimate = estimate_,
          .uses_own_epsilon = uses_own_epsilon_,
          .seed = options_.seed,
          .purpose = RngPurpose::kInner,
          .iteration = iteration,
          .samples = samples,
          .want_score = true,
          .cancel = input.cancel};
}

absl::Status PathGradient::Gradients(const StepInput& input, ObjectiveState* state,
                                     StepGradients* gradients) {
  EstimateMarginal(Request(input, input.iteration, state->adaptation.total_inner_samples),
                   input.pool, input.workspace, &marginal_);
  if (absl::Status s = input.at_points.Await(); !s.ok()) return s;
  const TargetValues& target = input.at_points.values();
  MakePointGradients(input.model, marginal_, target.log_p, target.score_p, &state->typical_length,
                     &points_);
  gradients->grad_x = points_.grad_x;
  gradients->log_q = marginal_.log_q;
  gradients->finite = points_.finite;
  gradients->loss = points_.loss;
  gradients->elbo = -points_.loss;
  gradients->ess = points_.ess;
  gradients->score_residual = points_.score_residual;
  gradients->criterion = points_.score_residual;
  return absl::OkStatus();
}

void PathGradient::AdaptToNoise(const StepInput& input, Adaptation* adaptation) {
  const int64_t samples = adaptation->total_inner_samples;
  EstimateMarginal(Request(input, (input.iteration + 1) | kSecondSet, samples), input.pool,
                   input.workspace, &second_marginal_);
  const double noise = ScoreNoise(input.model, marginal_.score, second_marginal_.score, &points_);
  const double flop = InnerSampleFlop(input.model.components.front()) *
                      static_cast<double>(input.points.z.cols() * samples);
  Adapt(noise, flop, adaptation);
}

void PathGradient::AfterStep(const StepInput& input, ObjectiveState* state) {
  const bool due = RecordStep(points_.ess, points_.median_residual, &state->adaptation);
  if (due && options_.adaptive) AdaptToNoise(input, &state->adaptation);
}

}  // namespace aisivi
