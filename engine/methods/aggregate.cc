#include "engine/methods/aggregate.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace aisivi {
namespace {

constexpr double kNegInf = -std::numeric_limits<double>::infinity();

}  // namespace

double LogAddExp(double a, double b) {
  if (std::isnan(a) || std::isnan(b)) return std::numeric_limits<double>::quiet_NaN();
  const double top = std::max(a, b);
  return top == kNegInf ? kNegInf : top + std::log(std::exp(a - top) + std::exp(b - top));
}

void WeightSums::Clear() {
  max = kNegInf;
  sum = sum_square = 0;
  count = 0;
  if (score != nullptr) std::fill_n(score, dim, 0.0);
}

void WeightSums::RaiseMax(double value) {
  if (value <= max) return;
  const double factor = std::exp(max - value);
  sum *= factor;
  sum_square *= factor * factor;
  for (int64_t d = 0; score != nullptr && d < dim; ++d) score[d] *= factor;
  max = value;
}

void WeightSums::Add(const double* log_weight, int64_t n, const ConstTileMap& gradient,
                     int64_t first, Scratch& scratch) {
  Scratch::Frame frame(scratch);
  double tile_max = kNegInf;
  for (int64_t i = 0; i < n; ++i) tile_max = std::max(tile_max, log_weight[i]);  // skips NaN
  count += n;
  if (!(tile_max > kNegInf) || !std::isfinite(tile_max)) return;  // every weight is zero
  RaiseMax(tile_max);
  using Array = Eigen::Map<Eigen::ArrayXd>;
  Array w(scratch.Take<double>(n), n);
  w = (Eigen::Map<const Eigen::ArrayXd>(log_weight, n) - max).exp();
  w = (w == w).select(w, 0.0);
  sum += w.sum();
  sum_square += w.square().sum();
  if (score == nullptr) return;
  Eigen::Map<Eigen::VectorXf> weight(scratch.Take<float>(n), n);
  weight = w.matrix().cast<float>();
  for (int64_t d = 0; d < dim; ++d) {
    score[d] += gradient.row(d).segment(first, n).dot(weight.transpose());
  }
}

void WeightSums::Merge(const WeightSums& other) {
  count += other.count;
  if (!(other.max > kNegInf)) return;
  RaiseMax(other.max);
  const double factor = std::exp(other.max - max);
  sum += factor * other.sum;
  sum_square += factor * factor * other.sum_square;
  for (int64_t d = 0; score != nullptr && d < dim; ++d) score[d] += factor * other.score[d];
}

double WeightSums::LogMeanWeight() const {
  return max + std::log(sum) - std::log(static_cast<double>(count));
}

double WeightSums::EssFraction() const {
  return sum_square > 0 ? sum * sum / sum_square / static_cast<double>(count) : 0.0;
}

}  // namespace aisivi
