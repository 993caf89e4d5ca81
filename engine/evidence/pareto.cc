#include "engine/evidence/pareto.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numeric>
#include <vector>

namespace aisivi {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kSmallest = 1e-300;
constexpr int64_t kMinTail = 5;

struct GeneralisedPareto {
  double k;      // shape; > 0 is heavier than exponential
  double sigma;  // scale
};

// Mean of log(1 − θ x).
double ShapeAt(double theta, const Eigen::VectorXd& x) {
  double sum = 0;
  for (double value : x) sum += std::log1p(-theta * value);
  return sum / static_cast<double>(x.size());
}

// Zhang & Stephens (2009): the posterior mean of θ = −k/σ on a grid under their data-driven prior,
// and k at that θ. `x`: exceedances over the threshold, ascending, positive.
GeneralisedPareto FitGeneralisedPareto(const Eigen::VectorXd& x) {
  const int64_t n = x.size();
  const int64_t grid = 30 + static_cast<int64_t>(std::sqrt(static_cast<double>(n)));
  const double quartile = x[static_cast<int64_t>(std::floor(static_cast<double>(n) / 4 + 0.5)) - 1];
  Eigen::VectorXd theta(grid), profile(grid);
  for (int64_t j = 0; j < grid; ++j) {
    const double spread = 1 - std::sqrt(static_cast<double>(grid) / (static_cast<double>(j) + 0.5));
    theta[j] = 1 / x[n - 1] + spread / (3 * quartile);
    const double k = ShapeAt(theta[j], x);
    profile[j] = static_cast<double>(n) * (std::log(-theta[j] / k) - k - 1);
  }
  double best = -kInfinity;
  for (double value : profile) {
    if (std::isfinite(value)) best = std::max(best, value);
  }
  double total = 0, mean = 0;
  for (int64_t j = 0; j < grid; ++j) {
    // θ = 0 (the exponential limit) hits 0/0 on the grid; its neighbours carry the same weight.
    const double weight = std::isfinite(profile[j]) ? std::exp(profile[j] - best) : 0.0;
    total += weight;
    mean += weight * theta[j];
  }
  mean /= total;
  const double k = ShapeAt(mean, x);
  return {k, -k / mean};
}

// The weakly informative prior of the PSIS paper (its appendix): ten pseudo-observations at ½.
double Regularise(double k, int64_t tail) {
  const double n = static_cast<double>(tail);
  return (n * k + 10 * 0.5) / (n + 10);
}

double Quantile(const GeneralisedPareto& fit, double probability) {
  const double log_survival = std::log1p(-probability);
  if (std::abs(fit.k) < 1e-12) return -fit.sigma * log_survival;
  return fit.sigma * std::expm1(-fit.k * log_survival) / fit.k;
}

}  // namespace

ParetoSmoothing SmoothWeights(const Eigen::VectorXd& log_weights) {
  ParetoSmoothing result{kNan, log_weights};
  const int64_t n = log_weights.size();
  const double size = static_cast<double>(n);
  std::vector<int64_t> order(n);
  std::iota(order.begin(), order.end(), int64_t{0});
  std::sort(order.begin(), order.end(), [&](int64_t a, int64_t b) {
    return log_weights[a] != log_weights[b] ? log_weights[a] < log_weights[b] : a < b;
  });
  int64_t tail = static_cast<int64_t>(std::ceil(std::min(size / 5, 3 * std::sqrt(size))));
  const int64_t positive = std::count_if(log_weights.begin(), log_weights.end(),
                                         [](double w) { return w > -kInfinity; });
  tail = std::min({tail, positive, n - 1});
  if (tail < kMinTail) return result;

  const double top = log_weights[order[n - 1]];
  if (log_weights[order[n - tail]] == top) {
    result.k = -kInfinity;
    return result;
  }
  const double log_cutoff = log_weights[order[n - tail - 1]];
  const double cutoff = std::exp(log_cutoff - top);
  // Ties with the threshold are no exceedances; what underflows still is one.
  Eigen::VectorXd exceedances(tail);
  int64_t count = 0;
  for (int64_t i = n - tail; i < n; ++i) {
    if (log_weights[order[i]] <= log_cutoff) continue;
    exceedances[count++] = std::max(std::exp(log_weights[order[i]] - top) - cutoff, kSmallest);
  }
  if (count < kMinTail) return result;
  GeneralisedPareto fit = FitGeneralisedPareto(exceedances.head(count));
  if (!std::isfinite(fit.k) || !std::isfinite(fit.sigma)) {
    result.k = kInfinity;
    return result;
  }
  fit.k = Regularise(fit.k, count);
  result.k = fit.k;
  for (int64_t i = 0; i < count; ++i) {
    const double probability = (static_cast<double>(i) + 0.5) / static_cast<double>(count);
    const double weight = std::min(1.0, cutoff + Quantile(fit, probability));
    result.log_weights[order[n - count + i]] = top + std::log(weight);
  }
  return result;
}

double TailBeyond(double k) {
  constexpr double kDepth = 10;
  const double slope = k - 1;
  return std::abs(slope) < 1e-9 ? kDepth : std::expm1(kDepth * slope) / slope;
}

}  // namespace aisivi
