#include "engine/fit/progress.h"

#include <algorithm>
#include <cmath>

namespace aisivi {

double TypicalScoreResidual(const std::vector<FitProgress>& history) {
  std::vector<double> known;
  for (const FitProgress& report : history) {
    if (report.of_result && !std::isnan(report.score_residual))
      known.push_back(report.score_residual);
  }
  if (known.empty()) return kNotAvailable;
  const size_t used = std::min(known.size(), std::max<size_t>(20, known.size() / 10));
  const auto middle = known.end() - static_cast<int64_t>((used + 1) / 2);
  std::nth_element(known.end() - static_cast<int64_t>(used), middle, known.end());
  return *middle;
}

}  // namespace aisivi
