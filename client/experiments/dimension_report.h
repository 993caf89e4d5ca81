// The tables and the text of the experiment `dimension`.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "client/experiments/fit_result.h"
#include "client/experiments/score_study.h"
#include "client/experiments/settings.h"
#include "client/experiments/statistics.h"

namespace aisivi::experiments {

struct DimensionRows {
  std::string target;
  int dimension = 0;
  FitResult fit;
  std::vector<ScoreRow> rows;  // empty when the fit failed
};

// The mean square error, in units of the mean square of the score, at which enough inner samples
// are enough.
inline constexpr double kEnough = 0.1;

// The k from which the error is at most kEnough: between two of the rows (ascending k) on a
// straight line of logarithms. Infinite when no k of theirs is enough, the least k when that is;
// NaN without rows.
double NeededK(const std::vector<ScoreRow>& rows);

// What one source needs on one target.
struct NeedSeries {
  std::string target, source;
  std::vector<int> dimensions;
  std::vector<double> needed;  // NeededK(), one per dimension
  std::vector<double> most;    // the largest k that was tried there; 0: none
  Line line;  // log needed against the dimension, where it is finite; NaN with fewer than two
};
std::vector<NeedSeries> Needs(const std::vector<DimensionRows>& rows);

// Whether k is exponential in D, in words.
std::string NeedSentence(const NeedSeries& series);

// The slope of the same for q = N(0, I) with conditionals of standard deviation σ₀ around
// √(1 − σ₀²) ε: the mean over z ~ q of log E_ε q(z|ε)² / q(z)², for one dimension:
//   −log(σ₀ √(2v)) + 1 − 1/(2v),   v = 1 − σ₀²/2
double PriorSlope(double sigma);

// report.md, dimension.csv (every k) and needed.csv.
absl::Status WriteDimensionReport(const Settings& settings, const ScorePlan& plan,
                                  const std::vector<DimensionRows>& rows,
                                  const std::vector<NeedSeries>& needs);

}  // namespace aisivi::experiments
