#include <algorithm>
#include <cmath>
#include <vector>

#include "engine/methods/aggregate.h"
#include "engine/methods/estimator.h"
#include "engine/methods/tiling.h"
#include "engine/nn/row_sums.h"

namespace aisivi {
namespace {

constexpr double kHalfLogTwoPi = 0.918938533204672742;
constexpr int64_t kMinItems = 64;  // tasks wanted at least, to keep many cores busy

// How the inner samples are cut up. Depends on the problem only, never on the threads.
struct Plan {
  int64_t width;            // samples per point in one tile
  int64_t points_per_item;  // > 1 only when all samples of a point fit in one narrow tile
  int64_t splits;           // items that share one point
  int64_t tiles_per_split;

  explicit Plan(const InnerRequest& request) {
    const Family& family = *request.family;
    const ProposalConfig& flow = request.proposal->config();
    const int64_t m = request.x->cols(), k = request.samples;
    width = TileWidth(k, family.latent_dim(), family.dim(), family.config().hidden,
                      flow.coupling_hidden);
    const int64_t tiles = (k + width - 1) / width;
    points_per_item = tiles > 1 ? 1 : std::clamp<int64_t>(128 / width, 1, (m + 7) / 8);
    splits = std::min(tiles, std::max<int64_t>(1, kMinItems / m));
    tiles_per_split = (tiles + splits - 1) / splits;
  }
};

class Pass {
 public:
  Pass(const InnerRequest& request, ThreadPool& pool, Workspace& workspace, InnerEstimate* estimate)
      : request_(request),
        family_(*request.family),
        proposal_(*request.proposal),
        pool_(pool),
        workspace_(workspace),
        plan_(request),
        estimate_(estimate),
        context_(estimate->context),
        sums_(estimate->sums),
        scores_(estimate->sum_storage),
        noise_(estimate->noise_sums),
        control_(request.want_score && proposal_.ControlCoefficient().has_value()) {
    proposal_.MakeContext(*request.x, pool, &context_);
  }

  void Run();

 private:
  void RunItem(int64_t item, Scratch& scratch);
  void RunTile(int64_t first_point, int64_t points, int64_t width, uint32_t shard, WeightSums* sums,
               double* noise_sums, Scratch& scratch);
  // Turns q(x|ε) into its residual r = (x − μ)/σ (in place of μ) and adds log q(x|ε) to log_weight.
  void AddConditional(int64_t first_point, int64_t width, const Conditional& conditional,
                      double* log_weight) const;

  const InnerRequest& request_;
  const Family& family_;
  const Proposal& proposal_;
  ThreadPool& pool_;
  Workspace& workspace_;
  const Plan plan_;
  InnerEstimate* estimate_;
  ProposalContext& context_;
  std::vector<WeightSums>& sums_;  // one per point and split
  std::vector<double>& scores_;    // their scores, D each
  std::vector<double>& noise_;     // Σ u of one point and split, D each
  const bool control_;             // whether the control variate applies
};

void Pass::AddConditional(int64_t first_point, int64_t width, const Conditional& conditional,
                          double* log_weight) const {
  TileMap r = conditional.mean;
  const int64_t n = r.cols(), dim = r.rows();
  for (int64_t d = 0; d < dim; ++d) {
    for (int64_t first = 0, j = first_point; first < n; first += width, ++j) {
      r.row(d).segment(first, width) = (*request_.x)(d, j) - r.row(d).segment(first, width).array();
    }
    if (conditional.shared_sigma) {
      r.row(d) *= conditional.inv_sigma(d, 0);
    } else {
      r.row(d).array() *= conditional.inv_sigma.row(d).array();
    }
    SubtractHalfSquares(r.row(d).data(), n, log_weight);
  }
  const double constant = -kHalfLogTwoPi * static_cast<double>(dim);
  for (int64_t i = 0; i < n; ++i) {
    log_weight[i] += constant - conditional.log_det[conditional.shared_sigma ? 0 : i];
  }
}

void Pass::RunTile(int64_t first_point, int64_t points, int64_t width, uint32_t shard,
                   WeightSums* sums, double* noise_sums, Scratch& scratch) {
  Scratch::Frame frame(scratch);
  const int64_t n = points * width, latent = family_.latent_dim();
  TileMap noise = TakeTile(scratch, latent, n);
  FillNormal({request_.seed, request_.purpose, request_.iteration, shard}, noise.data(),
             latent * noise.outerStride());
  for (int64_t p = 0; control_ && p < points; ++p) {
    for (int64_t r = 0; r < latent; ++r) {
      noise_sums[p * plan_.splits * latent + proposal_.NaturalRow(r)] +=
          noise.row(r).segment(p * width, width).sum();
    }
  }
  TileMap epsilon = TakeTile(scratch, latent, n);
  double* log_weight = scratch.Take<double>(n);
  proposal_.Sample(context_, first_point, width, noise, scratch, epsilon, log_weight);
  for (int64_t i = 0; i < n; ++i) log_weight[i] = -log_weight[i];
  family_.AddLogPrior(Const(epsilon), log_weight);
  const Conditional conditional = family_.Evaluate(Const(epsilon), scratch);
  AddConditional(first_point, width, conditional, log_weight);
  if (request_.want_score) {
    // ∇_x log q(x|ε) = −r/σ; the common factors are put in once per point by Run().
    TileMap r = conditional.mean;
    if (!conditional.shared_sigma) r.array() *= conditional.inv_sigma.array();
  }
  for (int64_t p = 0; p < points; ++p) {
    sums[p * plan_.splits].Add(log_weight + p * width, width, Const(conditional.mean), p * width,
                               scratch);
  }
}

void Pass::RunItem(int64_t item, Scratch& scratch) {
  const int64_t m = request_.x->cols();
  const int64_t split = item % plan_.splits;
  const int64_t first_point = item / plan_.splits * plan_.points_per_item;
  const int64_t points = std::min(plan_.points_per_item, m - first_point);
  WeightSums* sums = &sums_[first_point * plan_.splits + split];
  double* noise_sums =
      control_ ? &noise_[(first_point * plan_.splits + split) * family_.latent_dim()] : nullptr;
  const int64_t first_tile = split * plan_.tiles_per_split;
  for (int64_t t = first_tile; t < first_tile + plan_.tiles_per_split; ++t) {
    if (request_.Cancelled()) return;
    const int64_t width = std::min(plan_.width, request_.samples - t * plan_.width);
    if (width <= 0) break;
    const int64_t shard = first_point * plan_.splits * plan_.tiles_per_split + t;
    RunTile(first_point, points, width, static_cast<uint32_t>(shard), sums, noise_sums, scratch);
  }
}

void Pass::Run() {
  const int64_t m = request_.x->cols(), dim = family_.dim();
  sums_.resize(m * plan_.splits);
  if (request_.want_score) scores_.resize(m * plan_.splits * dim);
  for (int64_t i = 0; i < m * plan_.splits; ++i) {
    sums_[i].dim = dim;
    sums_[i].score = request_.want_score ? scores_.data() + i * dim : nullptr;
    sums_[i].Clear();
  }
  if (control_) noise_.assign(m * plan_.splits * dim, 0.0);
  const int64_t groups = (m + plan_.points_per_item - 1) / plan_.points_per_item;
  pool_.ParallelFor(groups * plan_.splits,
                    [&](int64_t item, int worker) { RunItem(item, workspace_.worker(worker)); });
  estimate_->log_density.resize(m);
  estimate_->ess.resize(m);
  if (request_.want_score) estimate_->score.resize(dim, m);
  for (int64_t j = 0; j < m; ++j) {
    WeightSums& total = sums_[j * plan_.splits];
    for (int64_t s = 1; s < plan_.splits; ++s) total.Merge(sums_[j * plan_.splits + s]);
    estimate_->log_density[j] = total.LogMeanWeight();
    estimate_->ess[j] = total.EssFraction();
    if (!request_.want_score) continue;
    estimate_->score.col(j) = -Eigen::Map<const Eigen::VectorXd>(total.score, dim) / total.sum;
  }
  if (request_.want_score && family_.shares_sigma()) {
    Scratch& scratch = workspace_.caller();
    Scratch::Frame frame(scratch);
    float* inv_sigma = scratch.Take<float>(dim);
    family_.SharedInverseSigma(inv_sigma);
    for (int64_t d = 0; d < dim; ++d) estimate_->score.row(d) *= static_cast<double>(inv_sigma[d]);
  }
  if (!control_) return;
  const double slope = *proposal_.ControlCoefficient() / static_cast<double>(request_.samples);
  for (int64_t j = 0; j < m; ++j) {
    for (int64_t s = 0; s < plan_.splits; ++s) {
      estimate_->score.col(j) -=
          slope * Eigen::Map<const Eigen::VectorXd>(&noise_[(j * plan_.splits + s) * dim], dim);
    }
  }
}

}  // namespace

void ProposalPass(const InnerRequest& request, ThreadPool& pool, Workspace& workspace,
                  InnerEstimate* estimate) {
  Pass(request, pool, workspace, estimate).Run();
}

}  // namespace aisivi
