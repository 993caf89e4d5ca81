#include "engine/proposal/coupling.h"

#include <algorithm>
#include <cmath>

#include "engine/nn/dense.h"
#include "engine/nn/row_sums.h"
#include "engine/proposal/coupling_kernel.h"

namespace aisivi {
namespace {

constexpr float kScaleFloor = 1e-7f;                   // PRESETS.md
constexpr float kIdentityOffset = 0.541324854612918f;  // softplus(offset) = 1

}  // namespace

Coupling::Coupling(int64_t kept_first, int64_t kept, int64_t changed_first, int64_t changed,
                   int64_t dim, int64_t hidden, bool identity_start, int64_t parameter_offset)
    : kept_first_(kept_first),
      kept_(kept),
      changed_first_(changed_first),
      changed_(changed),
      dim_(dim),
      hidden_(hidden),
      offset_(identity_start ? kIdentityOffset : 0.0f) {
  const auto take = [&](int64_t n) {
    const int64_t at = parameter_offset + count_;
    count_ += n;
    return at;
  };
  w_kept_ = take(2 * hidden * kept);
  w_x_ = take(2 * hidden * dim);
  b_hidden_ = take(2 * hidden);
  w_scale_ = take(changed * hidden);
  b_scale_ = take(changed);
  w_shift_ = take(changed * hidden);
  b_shift_ = take(changed);
  log_norm_ = take(kept + changed);
  norm_shift_ = take(kept + changed);
}

void Coupling::Initialize(const RngStream& stream, float* parameters) const {
  const int64_t first = w_kept_;
  std::fill_n(parameters + first, count_, 0.0f);
  const int64_t hidden_count = w_scale_ - w_kept_;
  FillUniform(stream, parameters + first, hidden_count);
  const float bound = 1.0f / std::sqrt(static_cast<float>(kept_ + changed_ + dim_));
  for (int64_t i = 0; i < hidden_count; ++i) {
    parameters[first + i] = bound * (2.0f * parameters[first + i] - 1.0f);
  }
}

void Coupling::Context(const float* parameters, const Eigen::MatrixXf& x,
                       Eigen::Ref<Eigen::MatrixXf> context) const {
  context.noalias() = Weights(parameters + w_x_, 2 * hidden_, dim_) * x;
  context.colwise() += Bias(parameters + b_hidden_, 2 * hidden_);
}

void Coupling::Forward(const float* parameters, const float* context, int64_t context_stride,
                       int64_t width, Scratch& scratch, TileMap u, double* log_det) const {
  Scratch::Frame frame(scratch);
  TileMap raw = TakeTile(scratch, changed_, u.cols());
  TileMap shift = TakeTile(scratch, changed_, u.cols());
  const CouplingNet net{.w_kept = parameters + w_kept_,
                        .context = context,
                        .context_stride = context_stride,
                        .w_scale = parameters + w_scale_,
                        .b_scale = parameters + b_scale_,
                        .w_shift = parameters + w_shift_,
                        .b_shift = parameters + b_shift_,
                        .kept = kept_,
                        .changed = changed_,
                        .hidden = hidden_};
  EvaluateCouplingNet(net, Const(Rows(u, kept_first_, kept_)), width, scratch, raw, shift);
  TransformChanged(raw, shift, offset_, kScaleFloor, Rows(u, changed_first_, changed_), log_det);
  double total = 0;
  for (int64_t e = 0; e < u.rows(); ++e) {
    const float a = parameters[log_norm_ + e];
    total += static_cast<double>(a);
    u.row(e) = u.row(e).array() * std::exp(a) + parameters[norm_shift_ + e];
  }
  AddConstant(total, u.cols(), log_det);
}

Coupling::Trace Coupling::Inverse(const float* parameters, const ConstTileMap& x, Scratch& scratch,
                                  TileMap u, double* log_det) const {
  const int64_t n = u.cols();
  Trace trace{TakeTile(scratch, 2 * hidden_, n), TakeTile(scratch, changed_, n),
              TakeTile(scratch, changed_, n), TakeTile(scratch, u.rows(), n),
              TakeTile(scratch, u.rows(), n)};
  double total = 0;
  for (int64_t e = 0; e < u.rows(); ++e) {
    const float a = parameters[log_norm_ + e];
    trace.normed.row(e) = (u.row(e).array() - parameters[norm_shift_ + e]) * std::exp(-a);
    total += static_cast<double>(a);
  }
  AddConstant(total, n, log_det);
  const ConstTileMap kept = Const(Rows(trace.normed, kept_first_, kept_));
  Dense(parameters + w_x_, parameters + b_hidden_, x, false, trace.hidden);
  DenseOnto(parameters + w_kept_, kept, true, trace.hidden);
  Dense(parameters + w_scale_, parameters + b_scale_, Const(Rows(trace.hidden, 0, hidden_)), false,
        trace.raw);
  TileMap shift = trace.scale;  // until the scale is needed
  Dense(parameters + w_shift_, parameters + b_shift_, Const(Rows(trace.hidden, hidden_, hidden_)),
        false, shift);
  trace.u = trace.normed;
  TileMap changed = Rows(trace.u, changed_first_, changed_);
  changed -= shift;
  for (int64_t c = 0; c < changed_; ++c) {
    SoftplusRow(trace.raw.row(c).data(), offset_, kScaleFloor, n, trace.scale.row(c).data());
    changed.row(c).array() /= trace.scale.row(c).array();
    u.row(c) = trace.scale.row(c).array().log();
    AddRow(u.row(c).data(), n, log_det);
  }
  u = trace.u;
  return trace;
}

void Coupling::InitializeNormalisation(const ConstTileMap& u, float* parameters) const {
  for (int64_t e = 0; e < u.rows(); ++e) {
    const float mean = u.row(e).mean();
    const float variance = (u.row(e).array() - mean).square().mean();
    if (!std::isfinite(mean) || !(variance > 1e-12f)) continue;
    parameters[log_norm_ + e] = 0.5f * std::log(variance);
    parameters[norm_shift_ + e] = mean;
  }
}

void Coupling::NormaliseForward(float* parameters) const {
  std::fill_n(parameters + log_norm_, kept_ + changed_, 0.0f);
  std::fill_n(parameters + norm_shift_, kept_ + changed_, 0.0f);
  const float raw = 0;
  float scale = 0;
  SoftplusRow(&raw, offset_, kScaleFloor, 1, &scale);
  std::fill_n(parameters + log_norm_ + changed_first_, changed_, -std::log(scale));
}

void Coupling::Backward(const float* parameters, const Trace& trace, float det_weight,
                        Scratch& scratch, TileMap grad_u, TileMap grad_context,
                        float* gradient) const {
  Scratch::Frame frame(scratch);
  const int64_t n = grad_u.cols();
  TileMap grad_raw = TakeTile(scratch, changed_, n);
  TileMap grad_shift = TakeTile(scratch, changed_, n);
  TileMap grad_changed = Rows(grad_u, changed_first_, changed_);
  const ConstTileMap changed = Const(Rows(trace.u, changed_first_, changed_));
  // u_c = (v_c − t) / s.  d/dv_c = 1/s, d/dt = −1/s, d/ds = −u_c/s; log s enters the loss.
  for (int64_t c = 0; c < changed_; ++c) {
    grad_changed.row(c).array() /= trace.scale.row(c).array();
    grad_shift.row(c) = -grad_changed.row(c);
    grad_raw.row(c) = (det_weight / trace.scale.row(c).array() -
                       grad_changed.row(c).array() * changed.row(c).array()) /
                      (1.0f + (-(trace.raw.row(c).array() + offset_)).exp());
  }
  if (changed_ > 0) {
    const ConstTileMap h_scale = Const(Rows(trace.hidden, 0, hidden_));
    const ConstTileMap h_shift = Const(Rows(trace.hidden, hidden_, hidden_));
    MutableWeights(gradient + w_scale_, changed_, hidden_).noalias() +=
        grad_raw * h_scale.transpose();
    MutableWeights(gradient + w_shift_, changed_, hidden_).noalias() +=
        grad_shift * h_shift.transpose();
    MutableBias(gradient + b_scale_, changed_) += grad_raw.rowwise().sum();
    MutableBias(gradient + b_shift_, changed_) += grad_shift.rowwise().sum();
    Rows(grad_context, 0, hidden_).noalias() =
        Weights(parameters + w_scale_, changed_, hidden_).transpose() * grad_raw;
    Rows(grad_context, hidden_, hidden_).noalias() =
        Weights(parameters + w_shift_, changed_, hidden_).transpose() * grad_shift;
    grad_context.array() *= (trace.hidden.array() > 0.0f).cast<float>();
  } else {
    grad_context.setZero();
  }
  if (kept_ > 0) {
    MutableWeights(gradient + w_kept_, 2 * hidden_, kept_).noalias() +=
        grad_context * Rows(trace.normed, kept_first_, kept_).transpose();
    Rows(grad_u, kept_first_, kept_).noalias() +=
        Weights(parameters + w_kept_, 2 * hidden_, kept_).transpose() * grad_context;
  }
  // v = (w − g) e^{−a}.  d/dg = −e^{−a}, d/da = −v; Σ a enters the loss.
  for (int64_t e = 0; e < grad_u.rows(); ++e) {
    gradient[log_norm_ + e] +=
        det_weight * static_cast<float>(n) - grad_u.row(e).dot(trace.normed.row(e));
    grad_u.row(e) *= std::exp(-parameters[log_norm_ + e]);
    gradient[norm_shift_ + e] -= grad_u.row(e).sum();
  }
}

void Coupling::ContextBackward(const ConstTileMap& grad_context, const ConstTileMap& x,
                               float* gradient) const {
  MutableWeights(gradient + w_x_, 2 * hidden_, dim_).noalias() += grad_context * x.transpose();
  MutableBias(gradient + b_hidden_, 2 * hidden_) += grad_context.rowwise().sum();
}

}  // namespace aisivi
