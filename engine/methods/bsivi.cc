#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "engine/methods/aggregate.h"
#include "engine/methods/estimator.h"
#include "engine/methods/tiling.h"
#include "engine/nn/row_sums.h"

namespace aisivi {
namespace {

constexpr double kHalfLogTwoPi = 0.918938533204672742;
constexpr int64_t kShards = 32;  // tasks; fixed, so that sums do not depend on the threads
// The error of a weight that the score of a training step may have, nats: far below the noise of
// weights drawn from p(ε). Densities have none of this size, see TileError().
constexpr double kScoreTolerance = 0.01;

using WideTile = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using WideMap = Eigen::Map<WideTile>;
using Row = Eigen::Map<Eigen::Array<float, 1, Eigen::Dynamic>>;
using ConstRow = Eigen::Map<const Eigen::Array<float, 1, Eigen::Dynamic>>;

WideMap TakeWide(Scratch& scratch, int64_t rows, int64_t columns) {
  return WideMap(scratch.Take<double>(rows * columns), rows, columns);
}

// A bound of what single precision makes of the exponent of a tile, nats. The exponent
//   x̃ᵀμ̃ − ½‖x̃‖² − ½‖μ̃‖²
// is small where it matters, its terms are up to r²/2 with r = max ‖x̃‖ + max ‖μ̃‖. Each of the F
// products and sums, and the entries of x̃ and μ̃, are rounded with u = 2^-24: at random, so that
// errors grow with √F (Higham & Mary, SIAM J. Sci. Comput. 2019), twice for what is rare.
double TileError(double reach, int64_t features) {
  constexpr double kUnit = 0x1p-24;
  return kUnit * (2 * std::sqrt(static_cast<double>(features)) + 4) * 0.5 * reach * reach;
}

// Adds Σ w and Σ w² (n): blocks short enough to be exact to 1e-6 in single precision, and these in
// double.
void AddSums(const ConstRow& weight, double* sum, double* sum_square) {
  constexpr int64_t kBlock = 128;
  for (int64_t first = 0; first < weight.size(); first += kBlock) {
    const int64_t count = std::min(kBlock, weight.size() - first);
    *sum += static_cast<double>(weight.segment(first, count).sum());
    *sum_square += static_cast<double>(weight.segment(first, count).square().sum());
  }
}

// With σ one vector, x̃ = x/σ and μ̃ = μ/σ: log q(x_j|ε_i) = x̃_jᵀ μ̃_i − ½‖x̃_j‖² − ½‖μ̃_i‖² + const.
// With σ(ε): features [x², x] against [−½/σ², μ/σ²] and a constant per ε. Either way the exponents
// of a tile are one matrix product, and the weighted sums another. The terms cancel: the products
// of exponents are made in double precision, unless they serve a score only and TileError() is
// below what that may have.
class Pass {
 public:
  Pass(const InnerRequest& request, ThreadPool& pool, Workspace& workspace, InnerEstimate* estimate)
      : request_(request),
        family_(*request.family),
        pool_(pool),
        workspace_(workspace),
        frame_(workspace.caller()),
        network_(!family_.shares_sigma()),
        center_(workspace.caller().Take<float>(family_.dim()), family_.dim()),
        inv_sigma_(workspace.caller().Take<float>(family_.dim()), family_.dim()),
        points_(
            TakeWide(workspace.caller(), request.x->cols(), (network_ ? 2 : 1) * family_.dim())),
        single_points_(TakeTile(workspace.caller(), points_.rows(), points_.cols())),
        point_constant_(workspace.caller().Take<double>(points_.rows()), points_.rows()),
        estimate_(estimate),
        sums_(estimate->sums),
        feature_sums_(estimate->sum_storage) {
    MakeFeatures();
  }

  void Run();

 private:
  // The per-sample side of a tile: features (F×n), in single precision for the weighted sums, and
  // constants (n).
  struct Samples {
    Conditional conditional;
    TileMap features;
    double* constant;
    double reach;  // of TileError()
  };

  void MakeFeatures();
  void RunShard(int64_t shard, Scratch& scratch);
  void RunTile(const ConstTileMap& epsilon, WeightSums* sums, Scratch& scratch);
  Samples MakeSamples(const ConstTileMap& epsilon, Scratch& scratch) const;
  // The features again, and the constants, in double precision (wide: F×n).
  void MakeWide(const Samples& samples, WideMap wide) const;
  // weight (m×n) ← exponents less the largest so far, which is raised; with the sums counted.
  void WideExponents(const Samples& samples, WeightSums* sums, Scratch& scratch,
                     TileMap weight) const;
  void SingleExponents(const Samples& samples, WeightSums* sums, Scratch& scratch,
                       TileMap weight) const;

  const InnerRequest& request_;
  const Family& family_;
  ThreadPool& pool_;
  Workspace& workspace_;
  const Scratch::Frame frame_;
  const bool network_;
  MutableBias center_;                          // D: subtracted from x and μ, against cancellation
  MutableBias inv_sigma_;                       // D: shared σ only
  WideMap points_;                              // m×F
  TileMap single_points_;                       // m×F
  Eigen::Map<Eigen::VectorXd> point_constant_;  // m
  double longest_ = 0;                          // max ‖x̃‖, or max ‖x‖ with σ(ε)
  InnerEstimate* estimate_;
  std::vector<WeightSums>& sums_;      // shard-major: shard · m + point
  std::vector<double>& feature_sums_;  // F each: Σ w · features
};

void Pass::MakeFeatures() {
  const Eigen::MatrixXf& x = *request_.x;
  const int64_t dim = family_.dim();
  center_ = x.rowwise().mean();
  if (!center_.allFinite()) center_.setZero();
  if (!network_) family_.SharedInverseSigma(inv_sigma_.data());
  point_constant_.setZero();
  for (int64_t j = 0; j < x.cols(); ++j) {
    double square = 0;
    for (int64_t d = 0; d < dim; ++d) {
      const double centred = static_cast<double>(x(d, j)) - static_cast<double>(center_[d]);
      const double v = network_ ? centred : centred * static_cast<double>(inv_sigma_[d]);
      points_(j, network_ ? dim + d : d) = v;
      if (network_) points_(j, d) = v * v;
      square += v * v;
    }
    if (!network_) point_constant_[j] = -0.5 * square;
    if (std::isfinite(square)) longest_ = std::max(longest_, std::sqrt(square));
  }
  single_points_ = points_.cast<float>();
}

Pass::Samples Pass::MakeSamples(const ConstTileMap& epsilon, Scratch& scratch) const {
  const int64_t n = epsilon.cols(), dim = family_.dim();
  Samples samples{family_.Evaluate(epsilon, scratch), TakeTile(scratch, points_.cols(), n),
                  scratch.Take<double>(n), 0};
  const Conditional& conditional = samples.conditional;
  std::fill_n(samples.constant, n, 0.0);
  Row scaled(scratch.Take<float>(n), n);
  float narrowest = 1;  // 1/σ at most, where x̃ is without σ
  for (int64_t d = 0; d < dim; ++d) {
    const ConstRow mean(conditional.mean.row(d).data(), n);
    if (network_) {
      const ConstRow inv(conditional.inv_sigma.row(d).data(), n);
      narrowest = std::max(narrowest, inv.maxCoeff());
      scaled = (mean - center_[d]) * inv;
      samples.features.row(d) = -0.5f * inv.square();
      samples.features.row(dim + d) = scaled * inv;
      SubtractHalfSquares(scaled.data(), n, samples.constant);
    } else {
      samples.features.row(d) = (mean - center_[d]) * inv_sigma_[d];
      SubtractHalfSquares(samples.features.row(d).data(), n, samples.constant);
    }
  }
  const double least = *std::min_element(samples.constant, samples.constant + n);
  samples.reach = longest_ * static_cast<double>(narrowest) + std::sqrt(-2 * least);
  const double constant = -kHalfLogTwoPi * static_cast<double>(dim);
  for (int64_t i = 0; i < n; ++i) {
    samples.constant[i] += constant - conditional.log_det[network_ ? i : 0];
  }
  return samples;
}

void Pass::MakeWide(const Samples& samples, WideMap wide) const {
  const Conditional& conditional = samples.conditional;
  const int64_t n = wide.cols(), dim = family_.dim();
  const double constant = -kHalfLogTwoPi * static_cast<double>(dim);
  for (int64_t i = 0; i < n; ++i) {
    samples.constant[i] = constant - conditional.log_det[network_ ? i : 0];
  }
  for (int64_t d = 0; d < dim; ++d) {
    const float* mean = conditional.mean.row(d).data();
    const double center = static_cast<double>(center_[d]);
    double* __restrict row = wide.row(d).data();
    double* __restrict sum = samples.constant;
    if (network_) {
      const float* inv_sigma = conditional.inv_sigma.row(d).data();
      double* __restrict linear = wide.row(dim + d).data();
      for (int64_t i = 0; i < n; ++i) {
        const double inv = static_cast<double>(inv_sigma[i]);
        const double scaled = (static_cast<double>(mean[i]) - center) * inv;
        row[i] = -0.5 * inv * inv;
        linear[i] = scaled * inv;
        sum[i] -= 0.5 * scaled * scaled;
      }
    } else {
      const double inv = static_cast<double>(inv_sigma_[d]);
      for (int64_t i = 0; i < n; ++i) {
        row[i] = (static_cast<double>(mean[i]) - center) * inv;
        sum[i] -= 0.5 * row[i] * row[i];
      }
    }
  }
}

void Pass::WideExponents(const Samples& samples, WeightSums* sums, Scratch& scratch,
                         TileMap weight) const {
  const int64_t m = points_.rows(), n = weight.cols();
  WideMap wide = TakeWide(scratch, points_.cols(), n);
  MakeWide(samples, wide);
  WideMap exponent = TakeWide(scratch, m, n);
  exponent.noalias() = points_ * wide;
  for (int64_t j = 0; j < m; ++j) {
    double* row = exponent.row(j).data();
    double top = -std::numeric_limits<double>::infinity();
    for (int64_t i = 0; i < n; ++i) {
      row[i] += samples.constant[i] + point_constant_[j];
      top = row[i] > top ? row[i] : top;  // skips NaN
    }
    float* out = weight.row(j).data();
    if (!std::isfinite(top)) {
      std::fill_n(out, n, -std::numeric_limits<float>::infinity());
      continue;
    }
    sums[j].RaiseMax(top);
    const double max = sums[j].max;
    for (int64_t i = 0; i < n; ++i) {
      out[i] = row[i] == row[i] ? static_cast<float>(row[i] - max)
                                : -std::numeric_limits<float>::infinity();
    }
  }
}

void Pass::SingleExponents(const Samples& samples, WeightSums* sums, Scratch& scratch,
                           TileMap weight) const {
  const int64_t n = weight.cols();
  Row constant(scratch.Take<float>(n), n);
  for (int64_t i = 0; i < n; ++i) constant[i] = static_cast<float>(samples.constant[i]);
  weight.noalias() = single_points_ * samples.features;
  for (int64_t j = 0; j < weight.rows(); ++j) {
    Row row(weight.row(j).data(), n);
    row += constant + static_cast<float>(point_constant_[j]);
    row = (row == row).select(row, -std::numeric_limits<float>::infinity());
    const float top = row.maxCoeff();
    if (!std::isfinite(top)) {
      row.setConstant(-std::numeric_limits<float>::infinity());
      continue;
    }
    sums[j].RaiseMax(static_cast<double>(top));
    row -= static_cast<float>(sums[j].max);
  }
}

void Pass::RunTile(const ConstTileMap& epsilon, WeightSums* sums, Scratch& scratch) {
  Scratch::Frame frame(scratch);
  const int64_t m = points_.rows(), n = epsilon.cols(), count = points_.cols();
  const Samples samples = MakeSamples(epsilon, scratch);
  TileMap weight = TakeTile(scratch, m, n);
  if (request_.want_score && TileError(samples.reach, count) <= kScoreTolerance) {
    SingleExponents(samples, sums, scratch, weight);
  } else {
    WideExponents(samples, sums, scratch, weight);
  }
  for (int64_t j = 0; j < m; ++j) {
    Row row(weight.row(j).data(), n);
    row = row.exp();
    sums[j].count += n;
    AddSums(ConstRow(row.data(), n), &sums[j].sum, &sums[j].sum_square);
  }
  if (!request_.want_score) return;
  TileMap partial = TakeTile(scratch, m, count);
  partial.noalias() = weight * samples.features.transpose();
  for (int64_t j = 0; j < m; ++j) {
    AddRow(partial.row(j).data(), count, sums[j].score);
  }
}

void Pass::RunShard(int64_t shard, Scratch& scratch) {
  const bool enumerated = family_.particles() > 0;
  const int64_t m = points_.rows(), k = enumerated ? family_.particles() : request_.samples;
  WeightSums* sums = &sums_[shard * m];
  const int64_t tiles = (k + kSharedTile - 1) / kSharedTile;
  for (int64_t t = shard; t < tiles; t += kShards) {
    if (request_.Cancelled()) return;
    Scratch::Frame frame(scratch);
    const int64_t n = std::min(kSharedTile, k - t * kSharedTile);
    TileMap epsilon = TakeTile(scratch, family_.latent_dim(), n);
    if (enumerated) {
      family_.EnumerateLatent(t * kSharedTile, epsilon);
    } else {
      family_.SampleLatent(
          {request_.seed, request_.purpose, request_.iteration, static_cast<uint32_t>(t)}, epsilon);
    }
    RunTile(Const(epsilon), sums, scratch);
  }
  if (shard != 0 || request_.own_epsilon == nullptr || enumerated) return;
  for (int64_t first = 0; first < m; first += kSharedTile) {
    Scratch::Frame frame(scratch);
    const int64_t n = std::min(kSharedTile, m - first);
    TileMap epsilon = TakeTile(scratch, family_.latent_dim(), n);
    epsilon = request_.own_epsilon->middleCols(first, n);
    RunTile(Const(epsilon), sums, scratch);
  }
}

void Pass::Run() {
  const int64_t m = points_.rows(), count = points_.cols(), dim = family_.dim();
  sums_.resize(kShards * m);
  if (request_.want_score) feature_sums_.resize(kShards * m * count);
  for (int64_t i = 0; i < kShards * m; ++i) {
    sums_[i].dim = count;
    sums_[i].score = request_.want_score ? feature_sums_.data() + i * count : nullptr;
    sums_[i].Clear();
  }
  pool_.ParallelFor(kShards,
                    [&](int64_t shard, int worker) { RunShard(shard, workspace_.worker(worker)); });
  estimate_->log_density.resize(m);
  estimate_->ess.resize(m);
  if (request_.want_score) estimate_->score.resize(dim, m);
  for (int64_t j = 0; j < m; ++j) {
    WeightSums& total = sums_[j];
    for (int64_t s = 1; s < kShards; ++s) total.Merge(sums_[s * m + j]);
    estimate_->log_density[j] = total.LogMeanWeight();
    estimate_->ess[j] = family_.particles() > 0 ? 1 : total.EssFraction();
    if (!request_.want_score) continue;
    const Eigen::Map<const Eigen::VectorXd> mean(total.score, count);
    for (int64_t d = 0; d < dim; ++d) {
      const double x = (*request_.x)(d, j) - center_[d], inv_sigma = inv_sigma_[d];
      estimate_->score(d, j) = network_  // Σ w̄ (μ − x)/σ²
                                   ? (mean[dim + d] + 2.0 * mean[d] * x) / total.sum
                                   : (mean[d] / total.sum - x * inv_sigma) * inv_sigma;
    }
  }
}

}  // namespace

void PriorPass(const InnerRequest& request, ThreadPool& pool, Workspace& workspace,
               InnerEstimate* estimate) {
  Pass(request, pool, workspace, estimate).Run();
}

}  // namespace aisivi
