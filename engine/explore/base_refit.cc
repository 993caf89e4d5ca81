#include "engine/explore/base_refit.h"

#include <Eigen/Cholesky>
#include <Eigen/Eigenvalues>
#include <cmath>
#include <cstdint>
#include <limits>
#include <utility>

#include "engine/explore/shards.h"

namespace aisivi {
namespace {

struct Weights {
  Eigen::MatrixXd share;   // N×K, r
  Eigen::MatrixXd sloped;  // N×K, r g
};

Weights DrawWeights(const AnnealingBase& base, const Eigen::MatrixXd& z, ThreadPool& pool) {
  Weights weights{Eigen::MatrixXd(z.cols(), base.size()), Eigen::MatrixXd(z.cols(), base.size())};
  ForColumnShards(pool, z.cols(), [&](const ColumnShard& shard) {
    const BaseTerms terms = EvaluateBase(base, z.middleCols(shard.first, shard.count));
    const Eigen::MatrixXd share = terms.Responsibilities();
    weights.share.middleRows(shard.first, shard.count) = share;
    weights.sloped.middleRows(shard.first, shard.count) = share.cwiseProduct(terms.slope);
  });
  return weights;
}

// The component that maximises the expected log density; itself where numbers fail.
AffineGaussian Maximise(const AffineGaussian& prior, double pseudo_draws, const Eigen::MatrixXd& z,
                        const Eigen::VectorXd& share, const Eigen::VectorXd& sloped) {
  AffineGaussian fitted;
  fitted.mean = (z * sloped + pseudo_draws * prior.mean) / (sloped.sum() + pseudo_draws);
  const Eigen::MatrixXd offset = (z.colwise() - fitted.mean) * sloped.cwiseSqrt().asDiagonal();
  const Eigen::VectorXd shift = prior.mean - fitted.mean;
  Eigen::MatrixXd covariance = prior.scale * prior.scale.transpose() + shift * shift.transpose();
  covariance *= pseudo_draws;
  covariance.noalias() += offset * offset.transpose();
  covariance /= share.sum() + pseudo_draws;
  const Eigen::LLT<Eigen::MatrixXd> cholesky(covariance);
  fitted.scale = cholesky.matrixL();
  return cholesky.info() == Eigen::Success && IsReasonable(fitted) ? fitted : prior;
}

// Fewer steps when cancelled.
AnnealingBase FitToDraws(Evaluator& evaluator, const AnnealingBase& prior, double pseudo_draws,
                         const Eigen::MatrixXd& z) {
  constexpr int kSteps = 6;
  AnnealingBase base = prior;
  for (int step = 0; step < kSteps && evaluator.CheckCancel().ok(); ++step) {
    const Weights weights = DrawWeights(base, z, evaluator.pool());
    evaluator.pool().ParallelFor(base.size(), [&](int64_t k, int) {
      base.components[static_cast<size_t>(k)] =
          Maximise(prior.components[static_cast<size_t>(k)], pseudo_draws, z, weights.share.col(k),
                   weights.sloped.col(k));
    });
  }
  return base;
}

// The direction (D, unit length, whitened) that a component had best be cut across: that of the
// third moment E[y ‖y‖²], or the largest of the fourth, E[y yᵀ ‖y‖²].
Eigen::VectorXd DirectionOfCut(const AffineGaussian& component, const Eigen::MatrixXd& z,
                               const Eigen::VectorXd& share, bool third) {
  Eigen::MatrixXd y = z.colwise() - component.mean;
  component.scale.triangularView<Eigen::Lower>().solveInPlace(y);
  // Bounded, so that a few draws far out do not decide.
  const Eigen::ArrayXd square = y.colwise().squaredNorm().transpose();
  const Eigen::VectorXd weight =
      share.array() * square / (1 + square / (4 * static_cast<double>(y.rows()))).square();
  if (third) return (y * weight).normalized();
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(y * weight.asDiagonal() *
                                                              y.transpose());
  return solver.eigenvectors().rightCols(1);
}

// Two components for each: the halves of a normal distribution, on either side of its middle.
AnnealingBase CutInTwo(const AnnealingBase& base, const Eigen::MatrixXd& z, bool third,
                       ThreadPool& pool) {
  const double apart = std::sqrt(2 / M_PI);  // mean of a half
  const Weights weights = DrawWeights(base, z, pool);
  AnnealingBase halves{{}, base.heavy_share};
  for (int64_t k = 0; k < base.size(); ++k) {
    const AffineGaussian& whole = base.components[static_cast<size_t>(k)];
    const Eigen::VectorXd direction = DirectionOfCut(whole, z, weights.share.col(k), third);
    if (!direction.allFinite()) return base;
    const Eigen::MatrixXd along = direction * direction.transpose();
    const Eigen::MatrixXd narrower = Eigen::MatrixXd::Identity(base.dim(), base.dim()) +
                                     (std::sqrt(1 - apart * apart) - 1) * along;
    halves.components.push_back(Compose(whole, apart * direction, narrower));
    halves.components.push_back(Compose(whole, -apart * direction, narrower));
  }
  return halves;
}

// The draws of every island whose number modulo `every` is `rest`.
Eigen::MatrixXd Gather(const std::vector<Eigen::MatrixXd>& draws, size_t every, size_t rest) {
  int64_t count = 0;
  for (size_t i = rest; i < draws.size(); i += every) count += draws[i].cols();
  Eigen::MatrixXd z(draws.front().rows(), count);
  count = 0;
  for (size_t i = rest; i < draws.size(); i += every) {
    z.middleCols(count, draws[i].cols()) = draws[i];
    count += draws[i].cols();
  }
  return z;
}

// The draws, and what is made of them.
struct Material {
  Eigen::MatrixXd half[2], all;
};

// Mean log b over the held-out half, for both halves, after a fit of `prior` to the other.
double HeldOut(Evaluator& evaluator, const AnnealingBase& prior, double pseudo_draws,
               const Material& z) {
  double sum = 0;
  for (int i = 0; i < 2; ++i) {
    const AnnealingBase fitted = FitToDraws(evaluator, prior, pseudo_draws, z.half[i]);
    sum += LogBase(fitted, z.half[1 - i], evaluator.pool()).mean();
  }
  return sum / 2;
}

// Fits `prior` with the best number of pseudo-draws; into `best` where that raises `held_out` by
// more than `margin`.
bool Improve(Evaluator& evaluator, const AnnealingBase& prior, const Material& z, double margin,
             AnnealingBase* best, double* held_out) {
  double pseudo_draws = 0, highest = *held_out + margin;
  double previous = -std::numeric_limits<double>::infinity();
  for (const double per_dimension : {30.0, 10.0, 3.0, 1.0, 0.3}) {
    const double candidate = per_dimension * static_cast<double>(prior.dim());
    const double value = HeldOut(evaluator, prior, candidate, z);
    if (!(value > previous)) break;
    previous = value;
    if (!(value > highest)) continue;
    highest = value;
    pseudo_draws = candidate;
  }
  if (pseudo_draws == 0) return false;
  *best = FitToDraws(evaluator, prior, pseudo_draws, z.all);
  *held_out = highest;
  return true;
}

bool EnoughToCut(const AnnealingBase& base, const Material& z) {
  constexpr int64_t kMostComponents = 16, kDrawsPerDimension = 4;
  const int64_t halves = 2 * base.size();
  return halves <= kMostComponents && z.all.cols() > kDrawsPerDimension * halves * base.dim();
}

// Cuts components in two for as long as that is worth it.
void Refine(Evaluator& evaluator, const Material& z, AnnealingBase* base, double* held_out) {
  constexpr double kWorthCutting = 0.05;  // nats
  for (bool cut = true; cut && EnoughToCut(*base, z) && evaluator.CheckCancel().ok();) {
    const AnnealingBase whole = *base;
    cut = false;
    for (const bool third : {true, false}) {
      const AnnealingBase halves = CutInTwo(whole, z.all, third, evaluator.pool());
      const bool better = Improve(evaluator, halves, z, cut ? 0 : kWorthCutting, base, held_out);
      cut = cut || better;
    }
  }
}

}  // namespace

absl::StatusOr<BaseRefit> RefitBase(Evaluator& evaluator, const AnnealingBase& base,
                                    const std::vector<Eigen::MatrixXd>& draws) {
  const Material z{{Gather(draws, 2, 0), Gather(draws, 2, 1)}, Gather(draws, 1, 0)};
  BaseRefit result{base};
  if (z.half[0].cols() == 0 || z.half[1].cols() == 0) return result;
  ThreadPool& pool = evaluator.pool();
  const double before =
      0.5 * (LogBase(base, z.half[0], pool).mean() + LogBase(base, z.half[1], pool).mean());
  double held_out = before;
  Improve(evaluator, base, z, 0, &result.base, &held_out);
  Refine(evaluator, z, &result.base, &held_out);
  result.gain = held_out - before;
  const Eigen::ArrayXd change = LogBase(result.base, z.all, pool) - LogBase(base, z.all, pool);
  result.deficit = (change - 1).max(0.0).mean();
  if (absl::Status s = evaluator.CheckCancel(); !s.ok()) return s;
  return result;
}

}  // namespace aisivi
