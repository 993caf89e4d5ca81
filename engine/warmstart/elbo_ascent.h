// Ascent of an ELBO by steps whose length ρ adapts.
//
// The objective is an average over one fixed set of draws, hence a deterministic function of the
// state. From the state at hand a step is tried at the current ρ; ρ is halved until the step raises
// the objective, and doubled (to 1 at most) after it has.
#pragma once

#include <algorithm>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace aisivi {

// How far one step of a Gaussian may go along any direction.
struct TrustRegion {
  static constexpr double kGrowth = 4;   // of a variance
  static constexpr double kShrink = 16;  // of a variance
  static constexpr double kMaxMove = 2;  // of the mean where p̃ is not concave, standard deviations
};

struct AscentLimits {
  int iterations;    // evaluations of the objective at most, the first one included
  double tolerance;  // nats: stop when a step promises or brings less
};

template <typename State>
struct Ascended {
  State state;
  double elbo;
  int iterations;  // evaluations of the objective
};

// visit(state) gives absl::StatusOr of what is known at a state, with `elbo` (nats) and `usable`,
// false where too few draws could be evaluated. plan(visit) gives the way from there, with
// promise() (nats), what it can bring at ρ = 1, and Apply(state, ρ), the state it leads to.
// IsReasonable(state) is found by its argument.
//
// FAILED_PRECONDITION when the start is not usable or a step leads to no reasonable state; else the
// error of `visit`.
template <typename State, typename Visitor, typename Planner>
absl::StatusOr<Ascended<State>> AscendElbo(State start, const AscentLimits& limits,
                                           const Visitor& visit, const Planner& plan) {
  constexpr double kSmallestStep = 1.0 / 512;
  auto current = visit(start);
  if (!current.ok()) return current.status();
  if (!current->usable) return absl::FailedPreconditionError("the start cannot be evaluated");
  Ascended<State> result{std::move(start), current->elbo, 1};
  double rho = 1;
  while (result.iterations < limits.iterations) {
    const auto step = plan(*current);
    if (step.promise() < limits.tolerance) break;
    double gain = 0;
    while (result.iterations < limits.iterations && rho >= kSmallestStep) {
      State next = step.Apply(result.state, rho);
      if (!IsReasonable(next)) {
        return absl::FailedPreconditionError("the Gaussian runs away or collapses");
      }
      auto trial = visit(next);
      if (!trial.ok()) return trial.status();
      ++result.iterations;
      if (trial->usable && trial->elbo > result.elbo) {
        gain = trial->elbo - result.elbo;
        result.elbo = trial->elbo;
        result.state = std::move(next);
        current = std::move(trial);
        break;
      }
      rho /= 2;
    }
    if (gain < limits.tolerance) break;
    rho = std::min(1.0, 2 * rho);
  }
  return result;
}

}  // namespace aisivi
