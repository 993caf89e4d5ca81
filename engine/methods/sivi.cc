#include "engine/methods/sivi.h"

#include <cmath>
#include <limits>

namespace aisivi {
namespace {

constexpr double kHalfLogTwoPi = 0.918938533204672742;

}  // namespace

void Sivi::SampleLatents(const StepInput& input) {
  const Family& family = input.model.components.front().family;
  const ComponentSample& sample = input.points.samples.front();
  const int64_t m = sample.x.cols(), k = options_.inner_samples, n = m + k;
  Scratch& scratch = input.workspace.caller();
  Scratch::Frame frame(scratch);
  TileMap fresh = TakeTile(scratch, family.latent_dim(), k);
  family.SampleLatent({options_.seed, RngPurpose::kInner, input.iteration, 0}, fresh);
  epsilon_.resize(family.latent_dim(), n);
  epsilon_.leftCols(m) = sample.epsilon;
  epsilon_.rightCols(k) = fresh;
  TileMap all = TakeTile(scratch, family.latent_dim(), n);
  all = epsilon_;
  const Conditional conditional = family.Evaluate(Const(all), scratch);
  mean_ = conditional.mean.cast<double>();
  inv_sigma_.resize(family.dim(), n);
  log_det_.resize(n);
  for (int64_t i = 0; i < n; ++i) {
    const int64_t column = conditional.shared_sigma ? 0 : i;
    inv_sigma_.col(i) = conditional.inv_sigma.col(column).cast<double>();
    log_det_[i] = conditional.log_det[column];
  }
  x_ = sample.x.cast<double>();
}

void Sivi::Weigh(const StepInput& input, StepGradients* gradients) {
  const int64_t m = x_.cols(), n = epsilon_.cols(), dim = x_.rows();
  const AffineMap& affine = input.model.components.front().affine;
  const double constant = -kHalfLogTwoPi * static_cast<double>(dim) -
                          std::log(static_cast<double>(n - m + 1)) - affine.LogDet();
  weights_.setZero(n, m);
  gradients->log_q.resize(m);
  marginal_.ess.resize(m);
  input.pool.ParallelFor(m, [&](int64_t j, int) {
    Eigen::Ref<Eigen::VectorXd> w = weights_.col(j);
    w.head(m).setConstant(-std::numeric_limits<double>::infinity());
    const auto exponent = [&](int64_t i) {
      return -0.5 * (x_.col(j) - mean_.col(i)).cwiseProduct(inv_sigma_.col(i)).squaredNorm() -
             log_det_[i];
    };
    w[j] = exponent(j);
    for (int64_t i = m; i < n; ++i) w[i] = exponent(i);
    const double top = w.maxCoeff();
    w = (w.array() - top).exp();
    const double sum = w.sum();
    w /= sum;
    gradients->log_q[j] = top + std::log(sum) + constant;
    marginal_.ess[j] = 1 / w.squaredNorm() / static_cast<double>(n - m + 1);
  });
}

void Sivi::PointScores(const StepInput& input) {
  const int64_t m = x_.cols(), n = epsilon_.cols();
  const AffineMap& affine = input.model.components.front().affine;
  marginal_.score.setZero(x_.rows(), m);
  input.pool.ParallelFor(m, [&](int64_t j, int) {
    for (int64_t i = 0; i < n; ++i) {
      const double w = weights_(i, j);
      if (w == 0) continue;
      marginal_.score.col(j) +=
          w * (mean_.col(i) - x_.col(j)).cwiseProduct(inv_sigma_.col(i).cwiseAbs2());
    }
  });
  affine.scale.triangularView<Eigen::Lower>().transpose().solveInPlace(marginal_.score);
}

void Sivi::LatentScores(const StepInput& input, LatentGradients* out) {
  const int64_t m = x_.cols(), n = epsilon_.cols();
  out->epsilon = epsilon_;
  out->grad_mean.resize(x_.rows(), n);
  out->grad_log_sigma.resize(x_.rows(), n);
  input.pool.ParallelFor(n, [&](int64_t i, int) {
    Eigen::VectorXd mean = Eigen::VectorXd::Zero(x_.rows()), log_sigma = mean, r = mean;
    for (int64_t j = 0; j < m; ++j) {
      const double w = weights_(i, j) / static_cast<double>(m);
      // A point without a gradient of its own moves nothing else either.
      if (w == 0 || !std::isfinite(input.at_points.values().log_p[j])) continue;
      r = (x_.col(j) - mean_.col(i)).cwiseProduct(inv_sigma_.col(i));
      mean += w * r;
      log_sigma.array() += w * (r.array().square() - 1);
    }
    out->grad_mean.col(i) = mean.cwiseProduct(inv_sigma_.col(i)).cast<float>();
    out->grad_log_sigma.col(i) = log_sigma.cast<float>();
  });
}

absl::Status Sivi::Gradients(const StepInput& input, ObjectiveState* state,
                             StepGradients* gradients) {
  if (input.model.components.size() != 1) {
    return absl::InvalidArgumentError("method: the surrogate is that of one component");
  }
  SampleLatents(input);
  Weigh(input, gradients);
  PointScores(input);
  marginal_.log_q = gradients->log_q;
  if (absl::Status s = input.at_points.Await(); !s.ok()) return s;
  const TargetValues& target = input.at_points.values();
  MakePointGradients(input.model, marginal_, target.log_p, target.score_p, &state->typical_length,
                     &points_);
  gradients->grad_x = points_.grad_x;
  gradients->grad_log_sigma.resize(0, 0);
  gradients->latents.resize(1);
  LatentScores(input, &gradients->latents.front());
  gradients->finite = points_.finite;
  gradients->loss = points_.loss;
  gradients->elbo = -points_.loss;
  gradients->ess = points_.ess;
  gradients->score_residual = gradients->criterion = points_.score_residual;
  return absl::OkStatus();
}

}  // namespace aisivi
