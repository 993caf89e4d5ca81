// Statistics of a few numbers: location, spread, a line through them, and tests of paired
// differences.
#pragma once

#include <vector>

namespace aisivi::experiments {

// Of no numbers: NaN, like everything below that needs more numbers than there are.
double Mean(const std::vector<double>& values);
double SampleSd(const std::vector<double>& values);  // with n − 1
double Median(std::vector<double> values);
double Smallest(const std::vector<double>& values);
double Largest(const std::vector<double>& values);

// The finite ones, in order.
std::vector<double> Finite(const std::vector<double>& values);

struct Interval {
  double low, high;
};

// Least squares y ≈ intercept + slope x. With two points the interval is unbounded; with fewer than
// two distinct x all is NaN. Source: Draper & Smith, Applied Regression Analysis, 3rd ed., §1.4.
struct Line {
  double slope, intercept;
  Interval interval;  // of the slope, 95 %, errors of y independent and alike
};
Line FitLine(const std::vector<double>& x, const std::vector<double>& y);

// P(|T| ≥ |t|), T Student-t with that many degrees of freedom.
double StudentTwoSided(double t, double degrees_of_freedom);
// The t with P(|T| ≥ t) = p, 0 < p < 1.
double StudentCritical(double p, double degrees_of_freedom);

// Paired t test of mean 0. All differences equal: t is ±inf and p 0, or with all 0, t 0 and p 1.
struct PairedT {
  double mean;
  double t, degrees_of_freedom;
  double p;           // two-sided
  Interval interval;  // of the mean, 95 %
};
PairedT PairedTTest(const std::vector<double>& differences);

// Wilcoxon signed-rank test of symmetry around 0: differences of 0 are left out, ties share their
// mean rank. Exact up to 50 differences, then the normal approximation with its corrections for
// ties and continuity. Source: Hollander & Wolfe, Nonparametric Statistical Methods, §3.1 to §3.3.
struct SignedRank {
  double w;       // sum of the ranks of the positive differences
  int count;      // differences that are not 0
  double p;       // two-sided; 1 when all are 0
  double median;  // Hodges–Lehmann: the median of the means of all pairs, all differences counted
  // Of that median: at least 95 %, by the exact distribution without ties; infinite where there are
  // too few differences for 95 %.
  Interval interval;
};
SignedRank SignedRankTest(const std::vector<double>& differences);

}  // namespace aisivi::experiments
