// The ELBO of a training as it runs, from the noisy ELBOs of its steps.
//
//   the mean of the middle half of the last 100 steps: without ⌊n/4⌋ of the lowest and as many of
//   the highest of the n ≤ 100 there are
//
// Up to a quarter of the steps may be as far off as they like, on either side: a step with a huge
// loss, and there are such where p̃ is narrow, moves it by no more than one rank. Of normal noise it
// keeps 84 % of the efficiency of the mean. Steps whose ELBO is not known do not count; one that is
// −∞ does.
// Source: the interquartile mean; Tukey, A survey of sampling from contaminated distributions,
// 1960.
#pragma once

#include <cstdint>
#include <vector>

namespace aisivi {

inline constexpr int64_t kRunningSteps = 100;  // that count at most

struct RunningElbo {
  std::vector<double> recent;  // nats; of at most 100 steps, in no order of time once it is full
  int64_t steps = 0;           // that counted
};

// NaN: not known.
void AddStep(double elbo, RunningElbo* running);

// Nats; NaN before the first step that counted.
double Value(const RunningElbo& running);

}  // namespace aisivi
