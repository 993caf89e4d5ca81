#include "client/experiments/statistics.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace aisivi::experiments {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kLevel = 0.05;  // of all intervals: 1 − 95 %
constexpr size_t kMostExact = 50;

// The continued fraction of the incomplete beta function by Lentz's method; for x below
// (a + 1) / (a + b + 2), where it converges fast. Source: Numerical Recipes, 3rd ed., §6.4.
double BetaFraction(double a, double b, double x) {
  constexpr double kTiny = 1e-300;
  const auto away_from_zero = [](double v) { return std::abs(v) < kTiny ? kTiny : v; };
  double c = 1, d = 1 / away_from_zero(1 - (a + b) * x / (a + 1)), h = d;
  for (int m = 1; m < 10000; ++m) {
    const double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / away_from_zero(1 + even * d);
    c = away_from_zero(1 + even / c);
    h *= d * c;
    const double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / away_from_zero(1 + odd * d);
    c = away_from_zero(1 + odd / c);
    h *= d * c;
    if (std::abs(d * c - 1) < 1e-15) break;
  }
  return h;
}

// Regularised incomplete beta function I_x(a, b).
double IncompleteBeta(double a, double b, double x) {
  if (x <= 0 || x >= 1) return x <= 0 ? 0 : 1;
  const double front = std::exp(std::lgamma(a + b) - std::lgamma(a) - std::lgamma(b) +
                                a * std::log(x) + b * std::log1p(-x));
  if (x < (a + 1) / (a + b + 2)) return front * BetaFraction(a, b, x) / a;
  return 1 - front * BetaFraction(b, a, 1 - x) / b;
}

// Twice the mean rank of each |difference|: whole numbers, ties included.
std::vector<int> DoubledRanks(const std::vector<double>& differences) {
  const size_t n = differences.size();
  std::vector<size_t> order(n);
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    return std::abs(differences[a]) < std::abs(differences[b]);
  });
  std::vector<int> ranks(n);
  for (size_t first = 0; first < n;) {
    size_t last = first;
    while (last + 1 < n &&
           std::abs(differences[order[last + 1]]) == std::abs(differences[order[first]])) {
      ++last;
    }
    for (size_t i = first; i <= last; ++i) ranks[order[i]] = static_cast<int>(first + last + 2);
    first = last + 1;
  }
  return ranks;
}

// P(sum = s) for s = 0 … Σ, of a sum that each rank enters with probability ½.
std::vector<double> NullDistribution(const std::vector<int>& ranks) {
  std::vector<double> probability = {1};
  for (const int rank : ranks) {
    std::vector<double> next(probability.size() + rank, 0);
    for (size_t s = 0; s < probability.size(); ++s) {
      next[s] += 0.5 * probability[s];
      next[s + rank] += 0.5 * probability[s];
    }
    probability = std::move(next);
  }
  return probability;
}

double ExactP(const std::vector<int>& ranks, int sum) {
  const std::vector<double> probability = NullDistribution(ranks);
  const double below = std::accumulate(probability.begin(), probability.begin() + sum + 1, 0.0);
  const double above = std::accumulate(probability.begin() + sum, probability.end(), 0.0);
  return std::min(1.0, 2 * std::min(below, above));
}

double NormalP(const std::vector<int>& ranks, int sum) {
  double mean = 0, variance = 0;
  for (const int rank : ranks) {
    mean += 0.5 * rank;
    variance += 0.25 * rank * rank;
  }
  // Half a rank is one in doubled ranks.
  const double distance = std::max(0.0, std::abs(sum - mean) - 1);
  return std::erfc(distance / std::sqrt(2 * variance));
}

// The means of all pairs, each with itself too, ascending.
std::vector<double> WalshAverages(const std::vector<double>& differences) {
  std::vector<double> averages;
  for (size_t i = 0; i < differences.size(); ++i) {
    for (size_t j = i; j < differences.size(); ++j) {
      averages.push_back(0.5 * (differences[i] + differences[j]));
    }
  }
  std::sort(averages.begin(), averages.end());
  return averages;
}

// How many Walsh averages to leave out at each end: the most whose tail has at most half of kLevel.
size_t WalshCut(size_t n) {
  if (n > kMostExact) {
    const double mean = 0.25 * static_cast<double>(n * (n + 1));
    const double sd = std::sqrt(mean * static_cast<double>(2 * n + 1) / 6);
    return static_cast<size_t>(std::floor(mean - 0.5 - 1.959963984540054 * sd));
  }
  std::vector<int> ranks(n);
  std::iota(ranks.begin(), ranks.end(), 1);
  const std::vector<double> probability = NullDistribution(ranks);
  size_t cut = 0;
  for (double tail = probability[0]; tail <= kLevel / 2; tail += probability[cut]) ++cut;
  return cut;
}

}  // namespace

double Mean(const std::vector<double>& values) {
  if (values.empty()) return kNaN;
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

double SampleSd(const std::vector<double>& values) {
  if (values.size() < 2) return kNaN;
  const double mean = Mean(values);
  double sum = 0;
  for (const double value : values) sum += (value - mean) * (value - mean);
  return std::sqrt(sum / static_cast<double>(values.size() - 1));
}

double Median(std::vector<double> values) {
  if (values.empty()) return kNaN;
  std::sort(values.begin(), values.end());
  const size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : 0.5 * (values[half - 1] + values[half]);
}

double Smallest(const std::vector<double>& values) {
  return values.empty() ? kNaN : *std::min_element(values.begin(), values.end());
}

double Largest(const std::vector<double>& values) {
  return values.empty() ? kNaN : *std::max_element(values.begin(), values.end());
}

std::vector<double> Finite(const std::vector<double>& values) {
  std::vector<double> finite;
  for (const double value : values) {
    if (std::isfinite(value)) finite.push_back(value);
  }
  return finite;
}

Line FitLine(const std::vector<double>& x, const std::vector<double>& y) {
  const size_t n = std::min(x.size(), y.size());
  const double mean_x = Mean({x.begin(), x.begin() + n}), mean_y = Mean({y.begin(), y.begin() + n});
  double xx = 0, xy = 0;
  for (size_t i = 0; i < n; ++i) {
    xx += (x[i] - mean_x) * (x[i] - mean_x);
    xy += (x[i] - mean_x) * (y[i] - mean_y);
  }
  if (!(xx > 0)) return {kNaN, kNaN, {kNaN, kNaN}};
  Line line{xy / xx, mean_y - xy / xx * mean_x, {-kInf, kInf}};
  if (n < 3) return line;
  double rest = 0;
  for (size_t i = 0; i < n; ++i) {
    rest += std::pow(y[i] - line.intercept - line.slope * x[i], 2);
  }
  const auto freedom = static_cast<double>(n - 2);
  const double reach = StudentCritical(kLevel, freedom) * std::sqrt(rest / freedom / xx);
  line.interval = {line.slope - reach, line.slope + reach};
  return line;
}

double StudentTwoSided(double t, double degrees_of_freedom) {
  return IncompleteBeta(0.5 * degrees_of_freedom, 0.5,
                        degrees_of_freedom / (degrees_of_freedom + t * t));
}

double StudentCritical(double p, double degrees_of_freedom) {
  double low = 0, high = 1;
  while (StudentTwoSided(high, degrees_of_freedom) > p) high *= 2;
  for (int i = 0; i < 200 && high - low > 1e-14 * high; ++i) {
    const double middle = 0.5 * (low + high);
    (StudentTwoSided(middle, degrees_of_freedom) > p ? low : high) = middle;
  }
  return 0.5 * (low + high);
}

PairedT PairedTTest(const std::vector<double>& differences) {
  const auto n = static_cast<double>(differences.size());
  if (n < 2) return {Mean(differences), kNaN, kNaN, kNaN, {kNaN, kNaN}};
  PairedT test;
  test.mean = Mean(differences);
  test.degrees_of_freedom = n - 1;
  const double error = SampleSd(differences) / std::sqrt(n);
  if (error == 0) {
    test.t = test.mean == 0 ? 0 : std::copysign(kInf, test.mean);
    test.p = test.mean == 0 ? 1 : 0;
  } else {
    test.t = test.mean / error;
    test.p = StudentTwoSided(test.t, n - 1);
  }
  const double reach = StudentCritical(kLevel, n - 1) * error;
  test.interval = {test.mean - reach, test.mean + reach};
  return test;
}

SignedRank SignedRankTest(const std::vector<double>& differences) {
  if (differences.empty()) return {kNaN, 0, kNaN, kNaN, {kNaN, kNaN}};
  std::vector<double> nonzero = differences;
  nonzero.erase(std::remove(nonzero.begin(), nonzero.end(), 0.0), nonzero.end());
  const std::vector<int> ranks = DoubledRanks(nonzero);
  int sum = 0;
  for (size_t i = 0; i < nonzero.size(); ++i) sum += nonzero[i] > 0 ? ranks[i] : 0;
  SignedRank test;
  test.w = 0.5 * sum;
  test.count = static_cast<int>(nonzero.size());
  test.p = nonzero.size() > kMostExact ? NormalP(ranks, sum) : ExactP(ranks, sum);
  const std::vector<double> averages = WalshAverages(differences);
  test.median = Median(averages);
  const size_t cut = WalshCut(differences.size());
  test.interval = {-kInf, kInf};
  if (cut > 0) test.interval = {averages[cut - 1], averages[averages.size() - cut]};
  return test;
}

}  // namespace aisivi::experiments
