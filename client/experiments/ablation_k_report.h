// The table and the text of the experiment `ablation-k`.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "client/experiments/fit_result.h"
#include "client/experiments/score_study.h"
#include "client/experiments/settings.h"
#include "client/experiments/statistics.h"

namespace aisivi::experiments {

struct AblationK {
  std::string data;  // where they are from
  int64_t dimension = 0;
  ScorePlan plan;
  FitResult fit;
  std::vector<ScoreRow> rows;  // empty when the fit failed
};

// The power of k with which the variance falls, by least squares of the logarithms; NaN where fewer
// than two variances are more than rounding.
Line VariancePower(const std::vector<ScoreRow>& rows);

// What the rows of a source say, in words.
std::string AblationSentence(const std::vector<ScoreRow>& rows);

// report.md and ablation_k.csv.
absl::Status WriteAblationKReport(const Settings& settings, const AblationK& ablation);

}  // namespace aisivi::experiments
