#include "engine/warmstart/gaussian_mixture_density.h"

#include <algorithm>
#include <cmath>

namespace aisivi {
namespace {

constexpr int64_t kShardColumns = 64;

// One shard: z is D×n with n ≤ kShardColumns.
void ShardDensity(const AffineMixture& mixture, const Eigen::MatrixXd& z,
                  Eigen::Ref<Eigen::VectorXd> log_q, Eigen::MatrixXd* score) {
  const int64_t size = mixture.size();
  std::vector<Eigen::MatrixXd> noise(static_cast<size_t>(size));
  Eigen::MatrixXd terms(z.cols(), size);  // log w_k N_k(z)
  for (int64_t k = 0; k < size; ++k) {
    const AffineGaussian& component = mixture.components[static_cast<size_t>(k)];
    Eigen::MatrixXd& x = noise[static_cast<size_t>(k)];
    x = z.colwise() - component.mean;
    component.scale.triangularView<Eigen::Lower>().solveInPlace(x);
    terms.col(k) = LogDensityOfNoise(component, x).array() + mixture.log_weights[k];
  }
  const Eigen::VectorXd highest = terms.rowwise().maxCoeff();
  terms = (terms.colwise() - highest).array().exp();
  const Eigen::VectorXd total = terms.rowwise().sum();
  log_q = highest.array() + total.array().log();
  if (score == nullptr) return;
  score->setZero(z.rows(), z.cols());
  for (int64_t k = 0; k < size; ++k) {
    const Eigen::VectorXd share = terms.col(k).cwiseQuotient(total);
    if (share.maxCoeff() < 1e-16) continue;
    Eigen::MatrixXd& x = noise[static_cast<size_t>(k)];
    const AffineGaussian& component = mixture.components[static_cast<size_t>(k)];
    component.scale.transpose().triangularView<Eigen::Upper>().solveInPlace(x);
    *score -= x * share.asDiagonal();
  }
}

}  // namespace

void AffineMixture::Normalise() {
  const double highest = log_weights.maxCoeff();
  log_weights.array() -= highest + std::log((log_weights.array() - highest).exp().sum());
}

void MixtureDensity(const AffineMixture& mixture, const Eigen::Ref<const Eigen::MatrixXd>& z,
                    ThreadPool& pool, Eigen::VectorXd* log_q, Eigen::MatrixXd* score) {
  const int64_t count = z.cols();
  log_q->resize(count);
  if (score != nullptr) score->resize(z.rows(), count);
  const int64_t shards = (count + kShardColumns - 1) / kShardColumns;
  pool.ParallelFor(shards, [&](int64_t shard, int) {
    const int64_t first = shard * kShardColumns;
    const int64_t columns = std::min(kShardColumns, count - first);
    Eigen::MatrixXd shard_score;
    ShardDensity(mixture, z.middleCols(first, columns), log_q->segment(first, columns),
                 score == nullptr ? nullptr : &shard_score);
    if (score != nullptr) score->middleCols(first, columns) = shard_score;
  });
}

AffineGaussian MomentMatch(const AffineMixture& mixture, const std::vector<int64_t>& members) {
  const int64_t dim = mixture.dim();
  const int64_t count = static_cast<int64_t>(members.size());
  Eigen::VectorXd share(count);
  for (int64_t i = 0; i < count; ++i) {
    share[i] = mixture.log_weights[members[static_cast<size_t>(i)]];
  }
  share = (share.array() - share.maxCoeff()).exp();
  share /= share.sum();
  AffineGaussian result{Eigen::VectorXd::Zero(dim), Eigen::MatrixXd::Zero(dim, dim)};
  for (int64_t i = 0; i < count; ++i) {
    result.mean +=
        share[i] * mixture.components[static_cast<size_t>(members[static_cast<size_t>(i)])].mean;
  }
  // Σ_k s_k (A_k A_kᵀ + d_k d_kᵀ) as one product of factors, so that nothing is squared.
  Eigen::MatrixXd factors(dim, count * (dim + 1));
  for (int64_t i = 0; i < count; ++i) {
    const AffineGaussian& component =
        mixture.components[static_cast<size_t>(members[static_cast<size_t>(i)])];
    factors.middleCols(i * (dim + 1), dim) = std::sqrt(share[i]) * component.scale;
    factors.col(i * (dim + 1) + dim) = std::sqrt(share[i]) * (component.mean - result.mean);
  }
  result.scale = LowerFactor(factors);
  return result;
}

double BhattacharyyaDistance(const AffineGaussian& a, const AffineGaussian& b) {
  const int64_t dim = a.dim();
  Eigen::MatrixXd factors(dim, 2 * dim);
  factors << a.scale, b.scale;
  const Eigen::MatrixXd middle = LowerFactor(factors) * std::sqrt(0.5);
  const Eigen::VectorXd x = middle.triangularView<Eigen::Lower>().solve(a.mean - b.mean);
  const double log_determinants = middle.diagonal().array().log().sum() -
                                  0.5 * a.scale.diagonal().array().log().sum() -
                                  0.5 * b.scale.diagonal().array().log().sum();
  return x.squaredNorm() / 8 + log_determinants;
}

}  // namespace aisivi
