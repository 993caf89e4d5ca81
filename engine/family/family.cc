#include "engine/family/family.h"

#include <algorithm>
#include <cmath>

#include "engine/nn/row_sums.h"

namespace aisivi {
namespace {

constexpr double kHalfLogTwoPi = 0.918938533204672742;

using Row = Eigen::Map<Eigen::Array<float, 1, Eigen::Dynamic>>;

// What a loss with d loss / d x = grad_x owes to a network's ρ, for a bounded σ and x = σ/σ₀ ⊙
// (slope ε + σ₀ η) + …. t: room for a row.
void NetworkSigmaBackward(const FamilyConfig& config, float slope, const ConstTileMap& input,
                          const ConstTileMap& eta, const ConstTileMap& grad_x,
                          const ConstTileMap* grad_log_sigma, const TileMap& rho, Row t,
                          TileMap grad_rho) {
  for (int64_t d = 0; d < config.dim; ++d) {
    t = BoundedSigmaTanh(rho.row(d));
    grad_rho.row(d) = grad_x.row(d).array() *
                      (slope * input.row(d).array() + config.sigma_scale * eta.row(d).array()) *
                      RelativeSigma(t) * LogSigmaSlope(t);
    if (grad_log_sigma == nullptr) continue;
    grad_rho.row(d).array() += grad_log_sigma->row(d).array() * LogSigmaSlope(t);
  }
}

// Adds what reaches ε through the skip: slope · σ/σ₀ with a network (rho not null), slope without.
void AddSkipGradient(const FamilyConfig& config, float slope, const ConstTileMap& grad_x,
                     const TileMap* rho, Row t, TileMap grad_input) {
  if (!config.linear_skip) return;
  for (int64_t d = 0; d < config.dim; ++d) {
    if (rho != nullptr) {
      t = BoundedSigmaTanh(rho->row(d));
      grad_input.row(d).array() += slope * RelativeSigma(t) * grad_x.row(d).array();
    } else {
      grad_input.row(d) += slope * grad_x.row(d);
    }
  }
}

}  // namespace

Family::Family(const FamilyConfig& config) : config_(config) {
  const int64_t outputs = config.sigma_network ? 2 * config.dim : config.dim;
  mlp_ = Mlp({config.latent_dim, config.hidden, config.hidden, outputs});
  particles_at_ = mlp_.parameter_count() + (config.sigma_network ? 0 : config.dim);
  parameters_.setZero(particles_at_ + config.particles * config.latent_dim);
}

float Family::MeanSlope() const {
  return config_.linear_skip ? std::sqrt(1.0f - config_.sigma_scale * config_.sigma_scale) : 0.0f;
}

void Family::Initialize(uint64_t seed, uint32_t component) {
  mlp_.Initialize({seed, RngPurpose::kFamilyInit, component, 0}, config_.linear_skip,
                  parameters_.data());
  if (!config_.sigma_network) {
    parameters_.segment(mlp_.parameter_count(), config_.dim)
        .setConstant(config_.linear_skip ? 0.0f : 1.0f);
  }
  FillNormal({seed, RngPurpose::kParticleInit, component, 0}, parameters_.data() + particles_at_,
             parameters_.size() - particles_at_);
}

bool Family::IsStandardNormal() const {
  if (!config_.linear_skip || config_.particles > 0) return false;
  if (!mlp_.OutputIsZero(parameters_.data())) return false;
  return config_.sigma_network || (parameters_.tail(config_.dim).array() == 0.0f).all();
}

void Family::SampleLatent(const RngStream& stream, TileMap epsilon) const {
  const int64_t stride = epsilon.outerStride();  // padding columns are drawn and left unused
  if (config_.gaussian_latent && config_.particles == 0) {
    FillNormal(stream, epsilon.data(), epsilon.rows() * stride);
  } else {
    FillUniform(stream, epsilon.data(), epsilon.rows() * stride);
  }
}

void Family::EnumerateLatent(int64_t first, TileMap epsilon) const {
  for (int64_t i = 0; i < epsilon.cols(); ++i) {
    epsilon(0, i) = (static_cast<float>(first + i) + 0.5f) / static_cast<float>(config_.particles);
  }
}

int64_t Family::ParticleOf(float epsilon) const {
  const int64_t index = static_cast<int64_t>(epsilon * static_cast<float>(config_.particles));
  return std::clamp<int64_t>(index, 0, config_.particles - 1);
}

ConstTileMap Family::Input(const ConstTileMap& epsilon, Scratch& scratch) const {
  if (config_.particles == 0) return epsilon;
  TileMap input = TakeTile(scratch, config_.latent_dim, epsilon.cols());
  for (int64_t i = 0; i < epsilon.cols(); ++i) {
    input.col(i) = parameters_.segment(
        particles_at_ + ParticleOf(epsilon(0, i)) * config_.latent_dim, config_.latent_dim);
  }
  return Const(input);
}

void Family::AddParticleGradient(const ConstTileMap& epsilon, const ConstTileMap& grad_input,
                                 Eigen::VectorXf* gradient) const {
  for (int64_t i = 0; i < epsilon.cols(); ++i) {
    gradient->segment(particles_at_ + ParticleOf(epsilon(0, i)) * config_.latent_dim,
                      config_.latent_dim) += grad_input.col(i);
  }
}

void Family::AddLogPrior(const ConstTileMap& epsilon, double* log_p) const {
  // Uniform on the unit cube: log p = 0.
  if (!config_.gaussian_latent || config_.particles > 0) return;
  const int64_t n = epsilon.cols();
  for (int64_t e = 0; e < epsilon.rows(); ++e) {
    SubtractHalfSquares(epsilon.row(e).data(), n, log_p);
  }
  AddConstant(-kHalfLogTwoPi * static_cast<double>(epsilon.rows()), n, log_p);
}

void Family::SigmaFromRho(const ConstTileMap& rho, TileMap inv_sigma, double* log_det) const {
  const int64_t n = rho.cols();
  std::fill_n(log_det, n, 0.0);
  const float log_scale = std::log(config_.sigma_scale);
  for (int64_t d = 0; d < rho.rows(); ++d) {
    if (config_.linear_skip) {
      inv_sigma.row(d) = log_scale + kLogSigmaRange * BoundedSigmaTanh(rho.row(d));
    } else {
      for (int64_t i = 0; i < n; ++i) {
        inv_sigma(d, i) = std::log(UnboundedSigma(config_.sigma_scale, rho(d, i)));
      }
    }
    if (config_.sigma_network) AddRow(inv_sigma.row(d).data(), n, log_det);
    inv_sigma.row(d) = (-inv_sigma.row(d).array()).exp();
    // One rounding for all ε would add up over the dimensions: that of the σ in use is undone.
    if (!config_.sigma_network) log_det[0] -= std::log(static_cast<double>(inv_sigma(d, 0)));
  }
}

Conditional Family::Evaluate(const ConstTileMap& epsilon, Scratch& scratch) const {
  const int64_t n = epsilon.cols(), dim = config_.dim;
  const bool network = config_.sigma_network;
  TileMap output = TakeTile(scratch, network ? 2 * dim : dim, n);
  TileMap inv_sigma = TakeTile(scratch, dim, network ? n : 1);
  double* log_det = scratch.Take<double>(network ? n : 1);
  const ConstTileMap input = Input(epsilon, scratch);
  {
    Scratch::Frame frame(scratch);
    mlp_.Forward(parameters_.data(), input, scratch, output);
  }
  TileMap mean = Rows(output, 0, dim);
  if (network) {
    SigmaFromRho(Const(Rows(output, dim, dim)), inv_sigma, log_det);
    mean.array() += MeanSlope() / config_.sigma_scale * input.array() / inv_sigma.array();
  } else {
    if (config_.linear_skip) mean += MeanSlope() * input;
    const float* rho = parameters_.data() + mlp_.parameter_count();
    SigmaFromRho(ConstTileMap(rho, dim, 1, Eigen::OuterStride<>(1)), inv_sigma, log_det);
  }
  return {mean, inv_sigma, log_det, !network};
}

void Family::SharedInverseSigma(float* inv_sigma) const {
  double log_det = 0;
  SigmaFromRho(ConstTileMap(parameters_.data() + mlp_.parameter_count(), config_.dim, 1,
                            Eigen::OuterStride<>(1)),
               TileMap(inv_sigma, config_.dim, 1, Eigen::OuterStride<>(1)), &log_det);
}

void Family::Sample(const Conditional& conditional, const ConstTileMap& eta, TileMap x) const {
  for (int64_t d = 0; d < x.rows(); ++d) {
    if (conditional.shared_sigma) {
      x.row(d) = conditional.mean.row(d) + eta.row(d) / conditional.inv_sigma(d, 0);
    } else {
      x.row(d) = conditional.mean.row(d).array() +
                 eta.row(d).array() / conditional.inv_sigma.row(d).array();
    }
  }
}

SigmaAndSlope Family::SharedSigmaOf(int64_t d) const {
  return SigmaOf(config_.linear_skip, config_.sigma_scale, parameters_[mlp_.parameter_count() + d]);
}

void Family::Backward(const ConstTileMap& epsilon, const ConstTileMap& eta,
                      const ConstTileMap& grad_x, const ConstTileMap* grad_log_sigma,
                      Scratch& scratch, Eigen::VectorXf* gradient) const {
  Scratch::Frame frame(scratch);
  const int64_t n = epsilon.cols(), dim = config_.dim;
  const bool network = config_.sigma_network;
  TileMap output = TakeTile(scratch, network ? 2 * dim : dim, n);
  Mlp::Trace trace;
  const ConstTileMap input = Input(epsilon, scratch);
  mlp_.Forward(parameters_.data(), input, scratch, output, &trace);
  TileMap grad_output = TakeTile(scratch, output.rows(), n);
  const Row t(scratch.Take<float>(n), n);
  const TileMap rho = network ? Rows(output, dim, dim) : TakeTile(scratch, 0, n);
  Rows(grad_output, 0, dim) = grad_x;
  if (network) {
    NetworkSigmaBackward(config_, MeanSlope(), input, eta, grad_x, grad_log_sigma, rho, t,
                         Rows(grad_output, dim, dim));
  }
  for (int64_t d = 0; !network && d < dim; ++d) {
    const SigmaAndSlope sigma = SharedSigmaOf(d);
    float& out = (*gradient)[mlp_.parameter_count() + d];
    out += sigma.slope * grad_x.row(d).dot(eta.row(d));
    if (grad_log_sigma != nullptr) out += sigma.slope / sigma.value * grad_log_sigma->row(d).sum();
  }
  if (config_.particles == 0) {
    mlp_.Backward(parameters_.data(), trace, Const(grad_output), scratch, gradient->data());
    return;
  }
  TileMap grad_input = TakeTile(scratch, config_.latent_dim, n);
  mlp_.Backward(parameters_.data(), trace, Const(grad_output), scratch, gradient->data(),
                &grad_input);
  AddSkipGradient(config_, MeanSlope(), grad_x, network ? &rho : nullptr, t, grad_input);
  AddParticleGradient(epsilon, Const(grad_input), gradient);
}

void Family::LatentScore(const ConstTileMap& epsilon, const ConstTileMap& x, Scratch& scratch,
                         double* log_joint, TileMap gradient) const {
  Scratch::Frame frame(scratch);
  const int64_t n = epsilon.cols(), dim = config_.dim;
  const bool network = config_.sigma_network;
  TileMap output = TakeTile(scratch, network ? 2 * dim : dim, n);
  Mlp::Trace trace;
  mlp_.Forward(parameters_.data(), epsilon, scratch, output, &trace);
  TileMap grad_output = TakeTile(scratch, output.rows(), n);
  TileMap direct = TakeTile(scratch, config_.linear_skip ? dim : 0, n);  // through the skip alone
  Row t(scratch.Take<float>(n), n), inv(scratch.Take<float>(n), n), r(scratch.Take<float>(n), n);
  std::fill_n(log_joint, n, -kHalfLogTwoPi * static_cast<double>(dim));
  for (int64_t d = 0; d < dim; ++d) {
    if (network) {
      t = BoundedSigmaTanh(output.row(dim + d));
      inv = RelativeSigma(-t) / config_.sigma_scale;
    } else {
      inv.setConstant(1.0f / SharedSigmaOf(d).value);
    }
    // The skip's part of μ is slope · ε · σ/σ₀ with a network, slope · ε without.
    r = (x.row(d) - output.row(d)).array() * inv;
    if (config_.linear_skip) {
      const float slope = network ? MeanSlope() / config_.sigma_scale : MeanSlope();
      if (network) {
        r -= slope * epsilon.row(d).array();
        direct.row(d) = slope * r;
        grad_output.row(dim + d) =
            (r.square() - 1.0f + slope * r * epsilon.row(d).array()) * LogSigmaSlope(t);
      } else {
        r -= slope * epsilon.row(d).array() * inv;
        direct.row(d) = slope * r * inv;
      }
    }
    grad_output.row(d) = r * inv;
    for (int64_t i = 0; i < n; ++i) {
      const double residual = static_cast<double>(r[i]);
      log_joint[i] += std::log(static_cast<double>(inv[i])) - 0.5 * residual * residual;
    }
  }
  mlp_.Backward(parameters_.data(), trace, Const(grad_output), scratch, nullptr, &gradient);
  if (config_.linear_skip) gradient += direct;
  if (config_.gaussian_latent) gradient -= epsilon;
  AddLogPrior(epsilon, log_joint);
}

}  // namespace aisivi
