#include "engine/fit/running_elbo.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "engine/evidence/not_available.h"

namespace aisivi {

void AddStep(double elbo, RunningElbo* running) {
  if (std::isnan(elbo)) return;
  const auto at = static_cast<size_t>(running->steps++ % kRunningSteps);
  if (at == running->recent.size()) {
    running->recent.push_back(elbo);
  } else {
    running->recent[at] = elbo;
  }
}

double Value(const RunningElbo& running) {
  if (running.recent.empty()) return kNotAvailable;
  std::vector<double> sorted = running.recent;
  std::sort(sorted.begin(), sorted.end());
  const auto cut = static_cast<int64_t>(sorted.size() / 4);
  const double sum = std::accumulate(sorted.begin() + cut, sorted.end() - cut, 0.0);
  return sum / static_cast<double>(static_cast<int64_t>(sorted.size()) - 2 * cut);
}

}  // namespace aisivi
