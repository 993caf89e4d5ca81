#include "engine/explore/base_refit.h"

#include <Eigen/Cholesky>
#include <Eigen/Eigenvalues>
#include <cmath>
#include <cstdint>
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

AnnealingBase FitToDraws(const AnnealingBase& prior, double pseudo_draws, const Eigen::MatrixXd& z,
                         ThreadPool& pool) {
  constexpr int kSteps = 6;
  AnnealingBase base = prior;
  for (int step = 0; step < kSteps; ++step) {
    const Weights weights = DrawWeights(base, z, pool);
    pool.ParallelFor(base.size(), [&](int64_t k, int) {
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
double HeldOut(const AnnealingBase& prior, double pseudo_draws, const Material& z,
               ThreadPool& pool) {
  double sum = 0;
  for (int i = 0; i < 2; ++i) {
    sum += LogBase(FitToDraws(prior, pseudo_draws, z.half[i], pool), z.half[1 - i], pool).mean();
  }
  return sum / 2;
}

// Fits `prior` with the best number of pseudo-draws; into `best` where that raises `held_out` by
// more than `margin`.
bool Improve(const AnnealingBase& prior, const Material& z, double margin, ThreadPool& pool,
             AnnealingBase* best, double* held_out) {
  double pseudo_draws = 0, highest = *held_out + margin;
  for (const double per_dimension : {30.0, 10.0, 3.0, 1.0, 0.3}) {
    const double candidate = per_dimension * static_cast<double>(prior.dim());
    const double value = HeldOut(prior, candidate, z, pool);
    if (!(value > highest)) continue;
    highest = value;
    pseudo_draws = candidate;
  }
  if (pseudo_draws == 0) return false;
  *best = FitToDraws(prior, pseudo_draws, z.all, pool);
  *held_out = highest;
  return true;
}

// Cuts components in two for as long as that is worth it.
void Refine(const Material& z, ThreadPool& pool, AnnealingBase* base, double* held_out) {
  constexpr int64_t kMostComponents = 16;
  constexpr double kWorthCutting = 0.05;    // nats
  constexpr double kDrawsPerDimension = 4;  // of a component
  bool cut = true;
  while (cut && 2 * base->size() <= kMostComponents &&
         static_cast<double>(z.all.cols()) >
             kDrawsPerDimension * static_cast<double>(2 * base->size() * base->dim())) {
    const AnnealingBase whole = *base;
    cut = false;
    for (const bool third : {true, false}) {
      const AnnealingBase halves = CutInTwo(whole, z.all, third, pool);
      cut |= Improve(halves, z, cut ? 0 : kWorthCutting, pool, base, held_out);
    }
  }
}

}  // namespace

BaseRefit RefitBase(const AnnealingBase& base, const std::vector<Eigen::MatrixXd>& draws,
                    ThreadPool& pool) {
  const Material z{{Gather(draws, 2, 0), Gather(draws, 2, 1)}, Gather(draws, 1, 0)};
  BaseRefit result{base};
  if (z.half[0].cols() == 0 || z.half[1].cols() == 0) return result;
  const double before =
      0.5 * (LogBase(base, z.half[0], pool).mean() + LogBase(base, z.half[1], pool).mean());
  double held_out = before;
  Improve(base, z, 0, pool, &result.base, &held_out);
  Refine(z, pool, &result.base, &held_out);
  result.gain = held_out - before;
  return result;
}

}  // namespace aisivi
