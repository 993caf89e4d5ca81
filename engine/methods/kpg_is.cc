#include "engine/methods/kpg_is.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace aisivi {
namespace {

constexpr double kPriorShare = 0.1;  // α

}  // namespace

void KpgIs::DrawAroundPoint(const StepInput& input, int64_t point, Scratch& scratch) {
  Scratch::Frame frame(scratch);
  const Component& component = input.model.components.front();
  const Family& family = component.family;
  const int64_t k = options_.inner_samples, dim = family.dim(), latent = family.latent_dim();
  const auto shard = static_cast<uint32_t>(point);
  TileMap noise = TakeTile(scratch, latent, k);
  FillNormal({options_.seed, RngPurpose::kInner, input.iteration, shard}, noise.data(),
             latent * noise.outerStride());
  TileMap epsilon = TakeTile(scratch, latent, k);
  double* log_tau = scratch.Take<double>(k);
  component.proposal.Sample(context_, point, k, noise, scratch, epsilon, log_tau);
  // The first of them are from p(ε) instead; what τ says of those has to be asked.
  const int64_t prior = std::max<int64_t>(1, std::llround(kPriorShare * static_cast<double>(k)));
  TileMap from_prior = TakeTile(scratch, latent, prior);
  family.SampleLatent({options_.seed, RngPurpose::kAroundLatent, input.iteration, shard},
                      from_prior);
  epsilon.leftCols(prior) = from_prior;
  TileMap at = TakeTile(scratch, dim, prior);
  at = input.points.samples.front().x.col(point).replicate(1, prior);
  component.proposal.LogDensity(Const(from_prior), Const(at), scratch, log_tau);
  double* log_p = scratch.Take<double>(k);
  std::fill_n(log_p, k, 0.0);
  family.AddLogPrior(Const(epsilon), log_p);
  TileMap eta = TakeTile(scratch, dim, k);
  FillNormal({options_.seed, RngPurpose::kAroundNoise, input.iteration, shard}, eta.data(),
             dim * eta.outerStride());
  const Conditional conditional = family.Evaluate(Const(epsilon), scratch);
  TileMap x = TakeTile(scratch, dim, k);
  family.Sample(conditional, Const(eta), x);
  const double share = static_cast<double>(prior) / static_cast<double>(k);
  for (int64_t i = 0; i < k; ++i) {
    const int64_t column = point * k + i;
    const double log_mixture =
        share < 1 ? LogAddExp(std::log(share) + log_p[i], std::log1p(-share) + log_tau[i])
                  : log_p[i];
    weights_[column] = std::exp(log_p[i] - log_mixture);
    x_.col(column) = x.col(i);
    score_.col(column) =
        -eta.col(i)
             .cwiseProduct(conditional.inv_sigma.col(conditional.shared_sigma ? 0 : i))
             .cast<double>();
    square_[column] =
        (x.col(i) - input.points.samples.front().x.col(point)).cast<double>().squaredNorm();
  }
}

void KpgIs::DrawAround(const StepInput& input) {
  const Component& component = input.model.components.front();
  const int64_t m = input.points.z.cols(), n = m * options_.inner_samples;
  const int64_t dim = component.family.dim();
  component.proposal.MakeContext(input.points.samples.front().x, input.pool, &context_);
  x_.resize(dim, n);
  score_.resize(dim, n);
  weights_.resize(n);
  square_.resize(n);
  input.pool.ParallelFor(m, [&](int64_t point, int worker) {
    DrawAroundPoint(input, point, input.workspace.worker(worker));
  });
  around_.resize(dim, n);
  component.affine.Apply(x_, &affine_work_, around_);
}

double KpgIs::MedianSquare() {
  values_.clear();
  for (const double square : square_) {
    if (std::isfinite(square)) values_.push_back(square);
  }
  const double median = Median(&values_);
  return median > 0 ? median : 1;
}

absl::Status KpgIs::Gradients(const StepInput& input, ObjectiveState* state,
                              StepGradients* gradients) {
  if (input.model.components.size() != 1 || !input.model.components.front().has_proposal) {
    return absl::InvalidArgumentError("method: one component with a proposal is needed");
  }
  DrawAround(input);
  if (absl::Status s = input.at_points.Await(); !s.ok()) return s;
  if (absl::Status s = EvaluateTarget(input.target, input.pool, around_, &at_around_); !s.ok()) {
    return s;
  }
  const AffineMap& affine = input.model.components.front().affine;
  const int64_t m = input.points.z.cols(), k = options_.inner_samples;
  bandwidth_ = Bandwidth(options_.kernel, MedianSquare(), k);
  // What is not finite, here or there, smooths nothing.
  score_.noalias() -= affine.scale.transpose().triangularView<Eigen::Upper>() * at_around_.score_p;
  smoothed_.setZero(score_.rows(), m);
  SteinPoints points;
  double loss = 0;
  for (int64_t j = 0; j < m; ++j) {
    if (!std::isfinite(input.at_points.values().log_p[j])) continue;
    for (int64_t i = j * k; i < (j + 1) * k; ++i) {
      const double weight = weights_[i] * KernelValue(options_.kernel, square_[i], bandwidth_);
      if (!std::isfinite(at_around_.log_p[i]) || !score_.col(i).allFinite() ||
          !std::isfinite(weight)) {
        continue;
      }
      smoothed_.col(j) += weight / static_cast<double>(k) * score_.col(i);
    }
    loss += smoothed_.col(j).squaredNorm();
    points.finite.push_back(j);
  }
  constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();
  gradients->log_q.resize(0);
  gradients->grad_log_sigma.resize(0, 0);
  gradients->elbo = gradients->ess = gradients->score_residual = kUnknown;
  gradients->finite = static_cast<int64_t>(points.finite.size());
  gradients->loss = gradients->criterion =
      loss / static_cast<double>(std::max<int64_t>(1, gradients->finite));
  Eigen::MatrixXd finite(score_.rows(), gradients->finite);
  for (int64_t i = 0; i < gradients->finite; ++i) {
    finite.col(i) = smoothed_.col(points.finite[static_cast<size_t>(i)]) / static_cast<double>(m);
  }
  ScatterGradient(points, finite, m, &state->typical_length, gradients);
  return absl::OkStatus();
}

}  // namespace aisivi
