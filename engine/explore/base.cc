#include "engine/explore/base.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "engine/explore/shards.h"
#include "engine/parallel/rng.h"
#include "engine/targets/builtin.h"

namespace aisivi {
namespace {

constexpr double kLight = 20, kHeavy = 3;  // degrees of freedom
constexpr double kHeavyShare = 0.3;
constexpr int64_t kMostHeavyComponents = 10;

// What the draws of an island need random numbers for.
enum class BaseStream : uint32_t { kDirection, kScale, kStratum };

Eigen::MatrixXd BaseNormals(uint64_t seed, BaseStream stream, uint32_t island, int64_t rows,
                            int64_t cols) {
  Eigen::MatrixXf values(rows, cols);
  FillNormal({seed, RngPurpose::kExploreBase, static_cast<uint32_t>(stream), island}, values.data(),
             values.size());
  return values.cast<double>();
}

// log t_ν but for −Σ log A_ii and the logarithm that depends on y.
double StudentConstant(double nu, double dim) {
  return LogGamma(0.5 * (nu + dim)) - LogGamma(0.5 * nu) - 0.5 * dim * std::log(nu * M_PI);
}

// log Σ exp of every row.
Eigen::VectorXd LogSumOfRows(const Eigen::MatrixXd& terms) {
  const Eigen::VectorXd highest = terms.rowwise().maxCoeff();
  return highest.array() + (terms.colwise() - highest).array().exp().rowwise().sum().log();
}

// log b_k and g_k of one component from ‖y‖².
void StudentTerms(const AnnealingBase& base, const Eigen::ArrayXd& square, double log_volume,
                  Eigen::Ref<Eigen::VectorXd> log_density, Eigen::Ref<Eigen::VectorXd> slope) {
  const double dim = static_cast<double>(base.dim());
  const Eigen::ArrayXd light = StudentConstant(kLight, dim) + std::log(1 - base.heavy_share) -
                               0.5 * (kLight + dim) * (square / kLight).log1p();
  const Eigen::ArrayXd light_slope = (kLight + dim) / (kLight + square);
  if (base.heavy_share == 0) {
    log_density = light - log_volume;
    slope = light_slope;
    return;
  }
  const Eigen::ArrayXd heavy = StudentConstant(kHeavy, dim) + std::log(base.heavy_share) -
                               0.5 * (kHeavy + dim) * (square / kHeavy).log1p();
  const Eigen::ArrayXd highest = light.max(heavy);
  const Eigen::ArrayXd light_part = (light - highest).exp(), heavy_part = (heavy - highest).exp();
  const Eigen::ArrayXd total = light_part + heavy_part;
  log_density = highest + total.log() - log_volume;
  slope = (light_part * light_slope + heavy_part * (kHeavy + dim) / (kHeavy + square)) / total;
}

}  // namespace

AnnealingBase MakeBase(std::vector<AffineGaussian> components) {
  AnnealingBase base;
  base.components = std::move(components);
  base.heavy_share = base.size() > kMostHeavyComponents ? 0 : kHeavyShare;
  return base;
}

std::vector<AffineGaussian> ComponentsOf(const MixtureFit& fit) {
  std::vector<AffineGaussian> components;
  for (const GaussianFit& component : fit.components) {
    components.push_back({component.mean, component.scale});
  }
  return components;
}

Eigen::MatrixXd DrawBase(const AnnealingBase& base, uint64_t seed, uint32_t island, int64_t count) {
  Eigen::MatrixXd z = BaseNormals(seed, BaseStream::kDirection, island, base.dim(), count);
  const Eigen::MatrixXd squares =
      BaseNormals(seed, BaseStream::kScale, island, static_cast<int64_t>(kLight), count)
          .cwiseAbs2();
  const double shift = UniformAt(
      {seed, RngPurpose::kExploreBase, static_cast<uint32_t>(BaseStream::kStratum), island}, 0);
  for (int64_t i = 0; i < count; ++i) {
    const double position = (static_cast<double>(i) + shift) / static_cast<double>(count) *
                            static_cast<double>(base.size());
    const int64_t k = std::min(static_cast<int64_t>(position), base.size() - 1);
    const double nu = position - static_cast<double>(k) < base.heavy_share ? kHeavy : kLight;
    const double chi_square = squares.col(i).head(static_cast<int64_t>(nu)).sum();
    const AffineGaussian& component = base.components[static_cast<size_t>(k)];
    const Eigen::VectorXd y = z.col(i) * std::sqrt(nu / chi_square);
    z.col(i) = component.mean + component.scale.triangularView<Eigen::Lower>() * y;
  }
  return z;
}

Eigen::MatrixXd BaseTerms::Responsibilities() const {
  const double log_size = std::log(static_cast<double>(log_component.cols()));
  return ((log_component.colwise() - log_base).array() - log_size).exp();
}

BaseTerms EvaluateBase(const AnnealingBase& base, const Eigen::Ref<const Eigen::MatrixXd>& z) {
  BaseTerms terms;
  terms.log_component.resize(z.cols(), base.size());
  terms.slope.resize(z.cols(), base.size());
  for (int64_t k = 0; k < base.size(); ++k) {
    const AffineGaussian& component = base.components[static_cast<size_t>(k)];
    Eigen::MatrixXd y = z.colwise() - component.mean;
    component.scale.triangularView<Eigen::Lower>().solveInPlace(y);
    StudentTerms(base, y.colwise().squaredNorm().transpose(),
                 component.scale.diagonal().array().log().sum(), terms.log_component.col(k),
                 terms.slope.col(k));
    terms.whitened.push_back(std::move(y));
  }
  terms.log_base =
      LogSumOfRows(terms.log_component).array() - std::log(static_cast<double>(base.size()));
  return terms;
}

Eigen::MatrixXd SumOfScores(const AnnealingBase& base, const BaseTerms& terms,
                            const Eigen::MatrixXd& coefficients) {
  constexpr double kNothing = 1e-16;
  Eigen::MatrixXd sum = Eigen::MatrixXd::Zero(base.dim(), coefficients.rows());
  for (int64_t k = 0; k < base.size(); ++k) {
    const Eigen::VectorXd weight = coefficients.col(k).cwiseProduct(terms.slope.col(k));
    if (weight.cwiseAbs().maxCoeff() < kNothing) continue;
    Eigen::MatrixXd x = terms.whitened[static_cast<size_t>(k)] * weight.asDiagonal();
    base.components[static_cast<size_t>(k)]
        .scale.transpose()
        .triangularView<Eigen::Upper>()
        .solveInPlace(x);
    sum -= x;
  }
  return sum;
}

Eigen::VectorXd LogBase(const AnnealingBase& base, const Eigen::Ref<const Eigen::MatrixXd>& z,
                        ThreadPool& pool) {
  Eigen::VectorXd log_base(z.cols());
  ForColumnShards(pool, z.cols(), [&](const ColumnShard& shard) {
    log_base.segment(shard.first, shard.count) =
        EvaluateBase(base, z.middleCols(shard.first, shard.count)).log_base;
  });
  return log_base;
}

std::vector<int> NearestComponents(const AnnealingBase& base,
                                   const Eigen::Ref<const Eigen::MatrixXd>& z, ThreadPool& pool) {
  std::vector<int> nearest(static_cast<size_t>(z.cols()));
  ForColumnShards(pool, z.cols(), [&](const ColumnShard& shard) {
    const BaseTerms terms = EvaluateBase(base, z.middleCols(shard.first, shard.count));
    for (int64_t i = 0; i < shard.count; ++i) {
      terms.log_component.row(i).maxCoeff(&nearest[static_cast<size_t>(shard.first + i)]);
    }
  });
  return nearest;
}

Eigen::VectorXd ComponentShares(const AnnealingBase& base,
                                const Eigen::Ref<const Eigen::MatrixXd>& z, ThreadPool& pool) {
  Eigen::VectorXd shares = Eigen::VectorXd::Zero(base.size());
  for (const int k : NearestComponents(base, z, pool)) shares[k] += 1;
  return shares / static_cast<double>(z.cols());
}

}  // namespace aisivi
