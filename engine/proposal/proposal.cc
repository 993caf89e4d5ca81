#include "engine/proposal/proposal.h"

#include <algorithm>
#include <cmath>

#include "engine/nn/row_sums.h"

namespace aisivi {
namespace {

constexpr double kHalfLogTwoPi = 0.918938533204672742;
constexpr float kLogScaleRange = 3.0f;
constexpr float kUnitEdge = 1e-6f;  // ε of a uniform latent is kept this far from 0 and 1

using Row = Eigen::Map<Eigen::Array<float, 1, Eigen::Dynamic>>;
using DoubleRow = Eigen::Map<Eigen::Array<double, 1, Eigen::Dynamic>>;

// log_tau ← Σ_rows log N(u; 0, 1).
void StandardNormalLogDensity(const TileMap& u, double* log_tau) {
  std::fill_n(log_tau, u.cols(), -kHalfLogTwoPi * static_cast<double>(u.rows()));
  for (int64_t e = 0; e < u.rows(); ++e) SubtractHalfSquares(u.row(e).data(), u.cols(), log_tau);
}

// out ← out − log |dε/dv|, which is log ε + log(1 − ε) for ε = sigmoid(v).
void SubtractLogSigmoidSlope(const TileMap& v, int64_t row, Scratch& scratch, double* out) {
  Scratch::Frame frame(scratch);
  const int64_t n = v.cols();
  const Row a(const_cast<float*>(v.row(row).data()), n);
  Row slope(scratch.Take<float>(n), n);
  slope = a.abs() + 2.0f * ((-a.abs()).exp() + 1.0f).log();
  AddRow(slope.data(), n, out);
}

std::vector<std::shared_ptr<const CouplingLayer>> MakeCouplings(const ProposalConfig& config) {
  const int64_t even = (config.latent_dim + 1) / 2, odd = config.latent_dim / 2;
  std::vector<std::shared_ptr<const CouplingLayer>> couplings;
  int64_t offset = 0;
  for (int64_t l = 0; l < config.couplings; ++l) {
    const bool keep_even = l % 2 == 0;
    const CouplingPlace place{.kept_first = keep_even ? 0 : even,
                              .kept = keep_even ? even : odd,
                              .changed_first = keep_even ? even : 0,
                              .changed = keep_even ? odd : even,
                              .dim = config.dim,
                              .hidden = config.coupling_hidden,
                              .parameter_offset = offset};
    couplings.push_back(EntryOf(config.coupling).make(place, config.linear_base));
    offset += couplings.back()->parameter_count();
  }
  return couplings;
}

// Of the linear base; the standard one has no parameters.
Mlp MakeBase(const ProposalConfig& config) {
  if (!config.linear_base) return Mlp();
  return Mlp({config.dim, config.base_hidden, config.base_hidden, 2 * config.latent_dim});
}

}  // namespace

Proposal::Proposal(const ProposalConfig& config)
    : config_(config), couplings_(MakeCouplings(config)), base_(MakeBase(config)) {
  for (const auto& coupling : couplings_) base_offset_ += coupling->parameter_count();
  parameters_.setZero(base_offset_ + base_.parameter_count());
}

int64_t Proposal::ParameterCount(const ProposalConfig& config) {
  int64_t count = MakeBase(config).parameter_count();
  for (const auto& coupling : MakeCouplings(config)) count += coupling->parameter_count();
  return count;
}

std::optional<double> Proposal::ControlCoefficient() const {
  if (!config_.linear_base || config_.slope == 0) return std::nullopt;
  return config_.slope / config_.sigma_scale;
}

int64_t Proposal::NaturalRow(int64_t row) const {
  const int64_t even = (config_.latent_dim + 1) / 2;
  return row < even ? 2 * row : 2 * (row - even) + 1;
}

void Proposal::Initialize(uint64_t seed, uint32_t component) {
  uint32_t shard = 0;
  for (const auto& coupling : couplings_) {
    coupling->Initialize({seed, RngPurpose::kProposalInit, component, shard++}, parameters_.data());
  }
  if (config_.linear_base) {
    base_.Initialize({seed, RngPurpose::kProposalInit, component, shard}, /*zero_last=*/true,
                     parameters_.data() + base_offset_);
  }
}

Proposal::BaseTrace Proposal::EvaluateBase(const ConstTileMap& x, Scratch& scratch) const {
  const int64_t latent = config_.latent_dim, n = x.cols();
  BaseTrace trace{{},
                  TakeTile(scratch, 2 * latent, n),
                  TakeTile(scratch, latent, n),
                  TakeTile(scratch, latent, n)};
  base_.Forward(parameters_.data() + base_offset_, x, scratch, trace.output, &trace.mlp);
  trace.mean = Rows(trace.output, 0, latent);
  if (config_.slope != 0) trace.mean += config_.slope * x;
  trace.log_scale =
      std::log(config_.sigma_scale) +
      kLogScaleRange * (Rows(trace.output, latent, latent).array() / kLogScaleRange).tanh();
  return trace;
}

void Proposal::MakeContext(const Eigen::MatrixXf& x, ThreadPool& pool,
                           ProposalContext* context) const {
  const int64_t m = x.cols(), rows = couplings_.empty() ? 0 : couplings_[0]->context_rows();
  context->conditioner.resize(rows * static_cast<int64_t>(couplings_.size()), m);
  const bool small = context->conditioner.size() * config_.dim < (1 << 20);
  const auto one = [&](int64_t l, int) {
    couplings_[l]->Context(parameters_.data(), x, context->conditioner.middleRows(l * rows, rows));
  };
  if (small) {
    for (size_t l = 0; l < couplings_.size(); ++l) one(l, 0);
  } else {
    pool.ParallelFor(couplings_.size(), one);
  }
  if (!config_.linear_base) return;
  Scratch::Frame frame(context->scratch);
  TileMap tile = TakeTile(context->scratch, x.rows(), m);
  tile = x;
  const BaseTrace base = EvaluateBase(Const(tile), context->scratch);
  context->mean = base.mean;
  context->scale = base.log_scale.array().exp();
  context->log_scale.setZero(m);
  for (int64_t e = 0; e < base.log_scale.rows(); ++e) {
    AddRow(base.log_scale.row(e).data(), m, context->log_scale.data());
  }
}

void Proposal::Sample(const ProposalContext& context, int64_t first_point, int64_t width,
                      TileMap noise, Scratch& scratch, TileMap epsilon, double* log_tau) const {
  StandardNormalLogDensity(noise, log_tau);
  Scratch::Frame frame(scratch);
  double* log_det = scratch.Take<double>(noise.cols());
  std::fill_n(log_det, noise.cols(), 0.0);
  const int64_t stride = context.conditioner.rows();
  const float* columns = context.conditioner.data() + first_point * stride;
  for (const auto& coupling : couplings_) {
    coupling->Forward(parameters_.data(), columns, stride, width, scratch, noise, log_det);
    columns += coupling->context_rows();
  }
  DoubleRow(log_tau, noise.cols()) -= DoubleRow(log_det, noise.cols());
  FromFlowSpace(context, first_point, width, noise, scratch, epsilon, log_tau);
}

void Proposal::FromFlowSpace(const ProposalContext& context, int64_t first_point, int64_t width,
                             const TileMap& v, Scratch& scratch, TileMap epsilon,
                             double* log_tau) const {
  const int64_t n = v.cols();
  for (int64_t r = 0; r < v.rows(); ++r) {
    const int64_t e = NaturalRow(r);
    if (config_.linear_base) {
      for (int64_t first = 0, j = first_point; first < n; first += width, ++j) {
        const int64_t count = std::min(width, n - first);
        epsilon.row(e).segment(first, count) =
            v.row(r).segment(first, count).array() * context.scale(e, j) + context.mean(e, j);
      }
    } else if (config_.sigmoid) {
      SubtractLogSigmoidSlope(v, r, scratch, log_tau);
      epsilon.row(e) = 1.0f / (1.0f + (-v.row(r).array()).exp());
    } else {
      epsilon.row(e) = v.row(r);
    }
  }
  if (!config_.linear_base) return;
  for (int64_t first = 0, j = first_point; first < n; first += width, ++j) {
    AddConstant(-context.log_scale[j], std::min(width, n - first), log_tau + first);
  }
}

Proposal::BaseTrace Proposal::ToFlowSpace(const ConstTileMap& epsilon, const ConstTileMap& x,
                                          Scratch& scratch, TileMap v, double* log_tau) const {
  const int64_t n = epsilon.cols(), latent = config_.latent_dim;
  std::fill_n(log_tau, n, 0.0);
  BaseTrace base =
      config_.linear_base
          ? EvaluateBase(x, scratch)
          : BaseTrace{
                {}, TakeTile(scratch, 0, n), TakeTile(scratch, 0, n), TakeTile(scratch, 0, n)};
  for (int64_t r = 0; r < latent; ++r) {
    const int64_t e = NaturalRow(r);
    if (config_.linear_base) {
      v.row(r) =
          (epsilon.row(e) - base.mean.row(e)).array() * (-base.log_scale.row(e).array()).exp();
      SubtractRow(base.log_scale.row(e).data(), n, log_tau);
    } else if (config_.sigmoid) {
      v.row(r) = epsilon.row(e).array().max(kUnitEdge).min(1.0f - kUnitEdge);
      v.row(r) = (v.row(r).array() / (1.0f - v.row(r).array())).log();
      SubtractLogSigmoidSlope(v, r, scratch, log_tau);
    } else {
      v.row(r) = epsilon.row(e);
    }
  }
  return base;
}

void Proposal::InvertCouplings(const ConstTileMap& x, Scratch& scratch, TileMap u, double* log_det,
                               CouplingLayer::Trace* traces) const {
  std::fill_n(log_det, u.cols(), 0.0);
  for (auto coupling = couplings_.rbegin(); coupling != couplings_.rend(); ++coupling) {
    if (traces == nullptr) {
      Scratch::Frame frame(scratch);
      (*coupling)->Inverse(parameters_.data(), x, scratch, u, log_det);
    } else {
      new (traces++)
          CouplingLayer::Trace((*coupling)->Inverse(parameters_.data(), x, scratch, u, log_det));
    }
  }
}

void Proposal::LogDensity(const ConstTileMap& epsilon, const ConstTileMap& x, Scratch& scratch,
                          double* log_tau) const {
  Scratch::Frame frame(scratch);
  const int64_t n = epsilon.cols();
  TileMap u = TakeTile(scratch, config_.latent_dim, n);
  double* base = scratch.Take<double>(n);
  double* log_det = scratch.Take<double>(n);
  ToFlowSpace(epsilon, x, scratch, u, base);
  InvertCouplings(x, scratch, u, log_det, nullptr);
  StandardNormalLogDensity(u, log_tau);
  DoubleRow(log_tau, n) += DoubleRow(base, n) - DoubleRow(log_det, n);
}

double Proposal::LossAndGradient(const ConstTileMap& epsilon, const ConstTileMap& x, float weight,
                                 Scratch& scratch, Eigen::VectorXf* gradient) const {
  Scratch::Frame frame(scratch);
  const int64_t n = epsilon.cols();
  TileMap v = TakeTile(scratch, config_.latent_dim, n);
  TileMap u = TakeTile(scratch, config_.latent_dim, n);
  double* base_log_tau = scratch.Take<double>(n);
  double* log_det = scratch.Take<double>(n);
  double* log_tau = scratch.Take<double>(n);
  const BaseTrace base = ToFlowSpace(epsilon, x, scratch, v, base_log_tau);
  u = v;
  CouplingLayer::Trace* traces = scratch.Take<CouplingLayer::Trace>(couplings_.size());
  InvertCouplings(x, scratch, u, log_det, traces);
  StandardNormalLogDensity(u, log_tau);
  double loss = 0;
  for (int64_t i = 0; i < n; ++i) {
    loss -= log_tau[i] + base_log_tau[i] - log_det[i];
  }
  TileMap grad_u = TakeTile(scratch, u.rows(), n);
  grad_u = weight * u;
  for (size_t l = 0; l < couplings_.size(); ++l) {
    Scratch::Frame layer(scratch);
    TileMap grad_context = TakeTile(scratch, couplings_[l]->context_rows(), n);
    couplings_[l]->Backward(parameters_.data(), traces[couplings_.size() - 1 - l], weight, scratch,
                            grad_u, grad_context, gradient->data());
    couplings_[l]->ContextBackward(Const(grad_context), x, gradient->data());
  }
  if (config_.linear_base) {
    BaseBackward(base, Const(grad_u), Const(v), weight, scratch, gradient->data());
  }
  return loss;
}

void Proposal::BaseBackward(const BaseTrace& trace, const ConstTileMap& grad_v,
                            const ConstTileMap& v, float weight, Scratch& scratch,
                            float* gradient) const {
  // v = (ε − m) e^{−ℓ}: dL/dm = −g e^{−ℓ}; dL/dℓ = weight − g v (Σℓ is part of the loss);
  // ℓ = log σ₀ + 3 tanh(o/3): dℓ/do = 1 − tanh².
  const int64_t latent = config_.latent_dim;
  TileMap grad_output = TakeTile(scratch, 2 * latent, v.cols());
  for (int64_t r = 0; r < latent; ++r) {
    const int64_t e = NaturalRow(r);
    grad_output.row(e) = -grad_v.row(r).array() * (-trace.log_scale.row(e).array()).exp();
    grad_output.row(latent + e) =
        (weight - grad_v.row(r).array() * v.row(r).array()) *
        (1.0f - (trace.output.row(latent + e).array() / kLogScaleRange).tanh().square());
  }
  base_.Backward(parameters_.data() + base_offset_, trace.mlp, Const(grad_output), scratch,
                 gradient + base_offset_);
}

void Proposal::NormaliseForward() {
  for (const auto& coupling : couplings_) coupling->NormaliseForward(parameters_.data());
}

void Proposal::InitializeNormalisation(const ConstTileMap& epsilon, const ConstTileMap& x) {
  Scratch scratch;
  const int64_t n = epsilon.cols();
  TileMap u = TakeTile(scratch, config_.latent_dim, n);
  double* log_det = scratch.Take<double>(n);
  ToFlowSpace(epsilon, x, scratch, u, log_det);
  for (auto coupling = couplings_.rbegin(); coupling != couplings_.rend(); ++coupling) {
    (*coupling)->InitializeNormalisation(Const(u), parameters_.data());
    (*coupling)->Inverse(parameters_.data(), x, scratch, u, log_det);
  }
}

}  // namespace aisivi
