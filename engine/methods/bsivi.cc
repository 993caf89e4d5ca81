#include <algorithm>
#include <cmath>
#include <vector>

#include "engine/methods/aggregate.h"
#include "engine/methods/estimator.h"
#include "engine/methods/tiling.h"

namespace aisivi {
namespace {

constexpr double kHalfLogTwoPi = 0.918938533204672742;
constexpr int64_t kShards = 32;  // tasks; fixed, so that sums do not depend on the threads

// With σ one vector, x̃ = x/σ and μ̃ = μ/σ: log q(x_j|ε_i) = x̃_jᵀ μ̃_i − ½‖x̃_j‖² − ½‖μ̃_i‖² + const.
// With σ(ε): features [x², x] against [−½/σ², μ/σ²] and a constant per ε. Either way the exponents
// of a tile are one matrix product, and the weighted sums another.
class Pass {
 public:
  Pass(const InnerRequest& request, ThreadPool& pool, Workspace& workspace, InnerEstimate* estimate)
      : request_(request),
        family_(*request.family),
        pool_(pool),
        workspace_(workspace),
        frame_(workspace.caller()),
        network_(family_.config().sigma_network),
        center_(workspace.caller().Take<float>(family_.dim()), family_.dim()),
        inv_sigma_(workspace.caller().Take<float>(family_.dim()), family_.dim()),
        point_features_(
            TakeTile(workspace.caller(), request.x->cols(), (network_ ? 2 : 1) * family_.dim())),
        point_constant_(workspace.caller().Take<float>(request.x->cols()), request.x->cols()),
        estimate_(estimate),
        sums_(estimate->sums),
        feature_sums_(estimate->sum_storage) {
    MakeFeatures();
  }

  void Run();

 private:
  void MakeFeatures();
  void RunShard(int64_t shard, Scratch& scratch);
  void RunTile(const ConstTileMap& epsilon, WeightSums* sums, Scratch& scratch);
  // Fills the per-sample side: features (F×n) and constants (n).
  void SampleFeatures(const ConstTileMap& epsilon, Scratch& scratch, TileMap features,
                      float* constant) const;
  void AddTile(const TileMap& exponent, const float* constant, const TileMap& features,
               WeightSums* sums, Scratch& scratch) const;

  const InnerRequest& request_;
  const Family& family_;
  ThreadPool& pool_;
  Workspace& workspace_;
  const Scratch::Frame frame_;
  const bool network_;
  MutableBias center_;          // D: subtracted from x and μ, against cancellation
  MutableBias inv_sigma_;       // D: shared σ only
  TileMap point_features_;      // m×F
  MutableBias point_constant_;  // m
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
  for (int64_t d = 0; d < dim; ++d) {
    if (network_) {
      point_features_.col(d) = (x.row(d).array() - center_[d]).square();
      point_features_.col(dim + d) = x.row(d).array() - center_[d];
    } else {
      point_features_.col(d) = inv_sigma_[d] * (x.row(d).array() - center_[d]);
    }
  }
  if (network_) {
    point_constant_.setZero();
  } else {
    point_constant_ = -0.5f * point_features_.rowwise().squaredNorm();
  }
}

void Pass::SampleFeatures(const ConstTileMap& epsilon, Scratch& scratch, TileMap features,
                          float* constant) const {
  const int64_t n = epsilon.cols(), dim = family_.dim();
  Conditional conditional = family_.Evaluate(epsilon, scratch);
  Eigen::Map<Eigen::Array<float, 1, Eigen::Dynamic>> c(constant, n);
  c.setConstant(static_cast<float>(-kHalfLogTwoPi * static_cast<double>(dim)));
  for (int64_t d = 0; d < dim; ++d) {
    Eigen::Map<Eigen::Array<float, 1, Eigen::Dynamic>> mean(conditional.mean.row(d).data(), n);
    mean -= center_[d];
    if (network_) {
      Eigen::Map<Eigen::Array<float, 1, Eigen::Dynamic>> inv(conditional.inv_sigma.row(d).data(),
                                                             n);
      features.row(d) = -0.5f * inv.square();
      features.row(dim + d) = mean * inv.square();
      c -= 0.5f * (mean * inv).square();
    } else {
      features.row(d) = mean * inv_sigma_[d];
      c -= 0.5f * features.row(d).array().square();
    }
  }
  for (int64_t i = 0; i < n; ++i) c[i] -= conditional.log_det[network_ ? i : 0];
}

void Pass::AddTile(const TileMap& exponent, const float* constant, const TileMap& features,
                   WeightSums* sums, Scratch& scratch) const {
  const int64_t m = exponent.rows(), n = exponent.cols(), count = features.rows();
  TileMap weight = TakeTile(scratch, m, n);
  const Eigen::Map<const Eigen::Array<float, 1, Eigen::Dynamic>> c(constant, n);
  for (int64_t j = 0; j < m; ++j) {
    WeightSums& s = sums[j];
    auto row = weight.row(j).array();
    row = exponent.row(j).array() + c + point_constant_[j];
    row = (row == row).select(row, -std::numeric_limits<float>::infinity());
    const float top = row.maxCoeff();
    s.count += n;
    if (!std::isfinite(top)) {
      row.setZero();
      continue;
    }
    s.RaiseMax(top);
    row = (row - static_cast<float>(s.max)).exp();
    s.sum += row.sum();
    s.sum_square += row.square().sum();
  }
  if (!request_.want_score) return;
  TileMap partial = TakeTile(scratch, m, count);
  partial.noalias() = weight * features.transpose();
  for (int64_t j = 0; j < m; ++j) {
    for (int64_t f = 0; f < count; ++f) sums[j].score[f] += partial(j, f);
  }
}

void Pass::RunTile(const ConstTileMap& epsilon, WeightSums* sums, Scratch& scratch) {
  Scratch::Frame frame(scratch);
  const int64_t n = epsilon.cols(), count = point_features_.cols();
  TileMap features = TakeTile(scratch, count, n);
  float* constant = scratch.Take<float>(n);
  SampleFeatures(epsilon, scratch, features, constant);
  TileMap exponent = TakeTile(scratch, point_features_.rows(), n);
  exponent.noalias() = point_features_ * features;
  AddTile(exponent, constant, features, sums, scratch);
}

void Pass::RunShard(int64_t shard, Scratch& scratch) {
  const int64_t m = point_features_.rows(), k = request_.samples;
  WeightSums* sums = &sums_[shard * m];
  const int64_t tiles = (k + kSharedTile - 1) / kSharedTile;
  for (int64_t t = shard; t < tiles; t += kShards) {
    if (request_.Cancelled()) return;
    Scratch::Frame frame(scratch);
    const int64_t n = std::min(kSharedTile, k - t * kSharedTile);
    TileMap epsilon = TakeTile(scratch, family_.latent_dim(), n);
    family_.SampleLatent(
        {request_.seed, request_.purpose, request_.iteration, static_cast<uint32_t>(t)}, epsilon);
    RunTile(Const(epsilon), sums, scratch);
  }
  if (shard != 0 || request_.own_epsilon == nullptr) return;
  for (int64_t first = 0; first < m; first += kSharedTile) {
    Scratch::Frame frame(scratch);
    const int64_t n = std::min(kSharedTile, m - first);
    TileMap epsilon = TakeTile(scratch, family_.latent_dim(), n);
    epsilon = request_.own_epsilon->middleCols(first, n);
    RunTile(Const(epsilon), sums, scratch);
  }
}

void Pass::Run() {
  const int64_t m = point_features_.rows(), count = point_features_.cols(), dim = family_.dim();
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
    estimate_->ess[j] = total.EssFraction();
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
