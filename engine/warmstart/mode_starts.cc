#include "engine/warmstart/mode_starts.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace aisivi {
namespace {

constexpr double kNearest = 0.3;  // smallest scale, near and far
constexpr int64_t kFewDimensions = 4;
constexpr int kRetreats = 4;
constexpr double kRetreat = 0.1;  // of the distance from the centre that a retreat leaves

// Uniforms of a round, number `which` of start i.
class Uniforms {
 public:
  Uniforms(uint64_t seed, uint32_t round) : seed_(seed), round_(round) {}
  double At(int64_t i, uint32_t which) const {
    return UniformAt({.seed = seed_,
                      .purpose = RngPurpose::kWarmStart,
                      .iteration = round_,
                      .shard = static_cast<uint32_t>(DrawStream::kModeChoices)},
                     static_cast<uint32_t>(i) * 4 + which);
  }

 private:
  const uint64_t seed_;
  const uint32_t round_;
};

double LogUniform(double least, double most, double u) {
  return least * std::pow(std::max(most / least, 1.0), u);
}

// x: a standard normal draw, on the way in; the start, on the way out.
void Near(double scale, bool ball, double u, Eigen::Ref<Eigen::VectorXd> x) {
  const double dim = static_cast<double>(x.size());
  if (ball) {
    x *= scale * std::sqrt(dim) * std::pow(u, 1 / dim) / x.norm();
  } else {
    x *= LogUniform(kNearest, scale, u);
  }
}

void Far(const AffineGaussian& fit, double radius, double u, Eigen::Ref<Eigen::VectorXd> x) {
  const Eigen::VectorXd step = LogUniform(kNearest, radius, u) * x;
  x = fit.scale.triangularView<Eigen::Lower>() * step;
  x += fit.mean;
}

// The region that the modes span.
struct Span {
  Eigen::VectorXd mean, spread;  // spread: standard deviation, at least half of that of the fit
  Eigen::VectorXd low, high;
};

Span SpanOf(const Eigen::MatrixXd& modes, const AffineGaussian& fit) {
  Span span;
  span.mean = modes.rowwise().mean();
  const Eigen::VectorXd square = (modes.colwise() - span.mean).rowwise().squaredNorm();
  span.spread = (square / static_cast<double>(modes.cols())).cwiseSqrt();
  span.spread = span.spread.cwiseMax(0.5 * fit.scale.rowwise().norm());
  span.low = modes.rowwise().minCoeff();
  span.high = modes.rowwise().maxCoeff();
  // About the distance between neighbours.
  const double apart =
      std::pow(static_cast<double>(modes.cols()), 1 / static_cast<double>(modes.rows()));
  const Eigen::VectorXd margin = (span.high - span.low).cwiseMax(span.spread) / apart;
  span.low -= margin;
  span.high += margin;
  return span;
}

void Around(const Span& span, bool box, const Uniforms& uniforms, int64_t i,
            Eigen::Ref<Eigen::VectorXd> x) {
  if (!box) {
    x = span.mean + LogUniform(0.5, 4, uniforms.At(i, 0)) * span.spread.cwiseProduct(x);
    return;
  }
  for (int64_t d = 0; d < x.size(); ++d) {
    const double u = uniforms.At(i, static_cast<uint32_t>(d));
    x[d] = span.low[d] + u * (span.high[d] - span.low[d]);
  }
}

// Around a single mode, in the shells where the basin of another would begin: nearer, the mode's
// own draws would have met it, and farther out the share of directions that lead to it falls.
void AroundOne(const AffineGaussian& laplace, double u, Eigen::Ref<Eigen::VectorXd> x) {
  constexpr double kInner = 1.3, kOuter = 3.5;  // standard deviations
  const Eigen::VectorXd step = LogUniform(kInner, kOuter, u) * x;
  x = laplace.scale.triangularView<Eigen::Lower>() * step;
  x += laplace.mean;
}

// On the line through two modes, a little beside it.
void Between(const Eigen::MatrixXd& modes, const Span& span, const Uniforms& uniforms, int64_t i,
             Eigen::Ref<Eigen::VectorXd> x) {
  const auto pick = [&](uint32_t which) {
    const double u = uniforms.At(i, which) * static_cast<double>(modes.cols());
    return std::min(static_cast<int64_t>(u), modes.cols() - 1);
  };
  const int64_t a = pick(0), b = pick(1);
  const double t = 2 * uniforms.At(i, 2) - 0.5;
  const double beside = LogUniform(0.03, 1, uniforms.At(i, 3));
  x = modes.col(a) + t * (modes.col(b) - modes.col(a)) + beside * span.spread.cwiseProduct(x);
}

// Evaluates the starts; those that cannot be evaluated are moved towards `centre`.
absl::Status Retreat(Evaluator& evaluator, const Eigen::VectorXd& centre, ModeStarts* starts) {
  Eigen::VectorXd log_density;
  if (absl::Status s = evaluator.EvaluateDensity(starts->points, &starts->log_density); !s.ok()) {
    return s;
  }
  for (int attempt = 0; attempt < kRetreats; ++attempt) {
    std::vector<int64_t> bad;
    for (int64_t i = 0; i < starts->points.cols(); ++i) {
      if (!std::isfinite(starts->log_density[i])) bad.push_back(i);
    }
    if (bad.empty()) break;
    Eigen::MatrixXd moved(starts->points.rows(), static_cast<int64_t>(bad.size()));
    for (size_t b = 0; b < bad.size(); ++b) {
      moved.col(static_cast<int64_t>(b)) =
          centre + kRetreat * (starts->points.col(bad[b]) - centre);
    }
    if (absl::Status s = evaluator.EvaluateDensity(moved, &log_density); !s.ok()) return s;
    for (size_t b = 0; b < bad.size(); ++b) {
      starts->points.col(bad[b]) = moved.col(static_cast<int64_t>(b));
      starts->log_density[bad[b]] = log_density[static_cast<int64_t>(b)];
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<double> NearScale(Evaluator& evaluator, uint64_t seed) {
  constexpr int64_t kDirections = 64;
  constexpr double kFirst = 0.5, kAlways = 8, kLast = 4096;
  const double root = std::sqrt(static_cast<double>(evaluator.dim()));
  const double fall = 25 + static_cast<double>(evaluator.dim());
  double best = -std::numeric_limits<double>::infinity();
  uint32_t index = 0;
  double scale = kFirst;
  for (; scale < kLast; scale *= 2, ++index) {
    Eigen::MatrixXd points =
        Normals(seed, DrawStream::kScaleLadder, index, evaluator.dim(), kDirections);
    for (int64_t i = 0; i < kDirections; ++i) points.col(i) *= scale * root / points.col(i).norm();
    Eigen::VectorXd log_density;
    if (absl::Status s = evaluator.EvaluateDensity(points, &log_density); !s.ok()) return s;
    const double highest = log_density.maxCoeff();
    best = std::max(best, highest);
    if (scale >= kAlways && highest < best - fall) break;
  }
  return scale;
}

absl::StatusOr<ModeStarts> SpreadStarts(Evaluator& evaluator, const AffineGaussian& fit,
                                        const StartRegion& region,
                                        const std::vector<AffineGaussian>& modes, uint64_t seed,
                                        uint32_t round, int64_t count) {
  const int64_t dim = evaluator.dim();
  const bool few = dim <= kFewDimensions, several = modes.size() > 1, one = modes.size() == 1;
  const Uniforms uniforms(seed, round);
  ModeStarts starts;
  starts.points = Normals(seed, DrawStream::kModeStarts, round, dim, count);
  starts.counts.resize(static_cast<size_t>(count));
  Eigen::MatrixXd places(dim, static_cast<int64_t>(modes.size()));
  for (size_t k = 0; k < modes.size(); ++k) places.col(static_cast<int64_t>(k)) = modes[k].mean;
  Span span;
  if (several) span = SpanOf(places, fit);
  for (int64_t i = 0; i < count; ++i) {
    Eigen::Ref<Eigen::VectorXd> x = starts.points.col(i);
    const double u = uniforms.At(i, 0);
    const int64_t turn = modes.empty() ? i % 2 : i % 8;
    const bool other = i / 8 % 2 == 1;
    starts.counts[static_cast<size_t>(i)] = turn != 0 && turn != 2;
    if (turn == 0) {
      Far(fit, region.radius, u, x);
    } else if (turn == 1) {
      Near(region.near, few && other, u, x);
    } else if (one) {
      AroundOne(modes.front(), u, x);
    } else if (turn == 2) {
      Between(places, span, uniforms, i, x);
    } else {
      Around(span, few && turn != 3, uniforms, i, x);
    }
  }
  if (absl::Status s = Retreat(evaluator, fit.mean, &starts); !s.ok()) return s;
  return starts;
}

}  // namespace aisivi
