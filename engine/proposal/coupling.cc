#include "engine/proposal/coupling.h"

#include <cmath>

#include "engine/nn/dense.h"
#include "engine/nn/row_sums.h"
#include "engine/proposal/coupling_kernel.h"

namespace aisivi {
namespace {

constexpr float kScaleFloor = 1e-7f;                   // PRESETS.md
constexpr float kIdentityOffset = 0.541324854612918f;  // softplus(offset) = 1
// Of a coupling behind the linear base, whose own scale has the range that the exact reverse
// conditional needs. Its MLP is linear in x far out: without a bound τ(ε|x) of a far point has
// scales of 1e-7, the point's own ε a density of e^−10^14 there, and the gradient no number.
constexpr float kLeastScale = 0.05f;

}  // namespace

Coupling::Coupling(const CouplingPlace& place, bool identity_start)
    : CouplingLayer(place, 2 * place.hidden, 2 * place.changed * (place.hidden + 1),
                    2 * place.changed),
      scale_{identity_start ? kIdentityOffset : 0.0f, kScaleFloor,
             identity_start ? kLeastScale : 0.0f},
      w_scale_(last_layer_),
      b_scale_(w_scale_ + place.changed * place.hidden),
      w_shift_(b_scale_ + place.changed),
      b_shift_(w_shift_ + place.changed * place.hidden) {}

void Coupling::Transform(const float* parameters, const float* context, int64_t context_stride,
                         int64_t width, Scratch& scratch, TileMap u, double* log_det) const {
  TileMap raw = TakeTile(scratch, place_.changed, u.cols());
  TileMap shift = TakeTile(scratch, place_.changed, u.cols());
  const CouplingNet net{.w_kept = parameters + w_kept_,
                        .context = context,
                        .context_stride = context_stride,
                        .w_scale = parameters + w_scale_,
                        .b_scale = parameters + b_scale_,
                        .w_shift = parameters + w_shift_,
                        .b_shift = parameters + b_shift_,
                        .kept = place_.kept,
                        .changed = place_.changed,
                        .hidden = place_.hidden};
  EvaluateCouplingNet(net, Const(Rows(u, place_.kept_first, place_.kept)), width, scratch, raw,
                      shift);
  TransformChanged(raw, shift, scale_, Rows(u, place_.changed_first, place_.changed), log_det);
}

void Coupling::Undo(const float* parameters, const Trace& trace, Scratch& scratch, TileMap changed,
                    double* log_det) const {
  const int64_t n = changed.cols(), hidden = place_.hidden;
  TileMap raw = Argument(trace), scale = Scale(trace);
  Dense(parameters + w_scale_, parameters + b_scale_, Const(Rows(trace.hidden, 0, hidden)), false,
        raw);
  TileMap shift = scale;  // until the scale is needed
  Dense(parameters + w_shift_, parameters + b_shift_, Const(Rows(trace.hidden, hidden, hidden)),
        false, shift);
  changed -= shift;
  TileMap log_scale = TakeTile(scratch, 1, n);
  for (int64_t c = 0; c < place_.changed; ++c) {
    ScaleRow(raw.row(c).data(), scale_, n, scale.row(c).data());
    changed.row(c).array() /= scale.row(c).array();
    log_scale.row(0) = scale.row(c).array().log();
    AddRow(log_scale.data(), n, log_det);
  }
}

void Coupling::NormaliseForward(float* parameters) const {
  const float raw = 0;
  float scale = 0;
  ScaleRow(&raw, scale_, 1, &scale);
  norm_.Set(place_.changed_first, place_.changed, -std::log(scale), parameters);
}

void Coupling::UndoBackward(const float* parameters, const Trace& trace, float det_weight,
                            Scratch& scratch, TileMap grad_changed, TileMap grad_hidden,
                            float* gradient) const {
  const int64_t n = grad_changed.cols(), changed = place_.changed, hidden = place_.hidden;
  TileMap grad_raw = TakeTile(scratch, changed, n);
  TileMap grad_shift = TakeTile(scratch, changed, n);
  const TileMap u = Rows(trace.u, place_.changed_first, changed);
  const TileMap raw = Argument(trace), scale = Scale(trace);
  // u_c = (v_c − t) / s.  d/dv_c = 1/s, d/dt = −1/s, d/ds = −u_c/s; log s enters the loss. At its
  // bounds s does not move.
  for (int64_t c = 0; c < changed; ++c) {
    grad_changed.row(c).array() /= scale.row(c).array();
    grad_shift.row(c) = -grad_changed.row(c);
    grad_raw.row(c) =
        (det_weight / scale.row(c).array() - grad_changed.row(c).array() * u.row(c).array()) /
        (1.0f + (-(raw.row(c).array() + scale_.offset)).exp());
    grad_raw.row(c).array() *=
        (scale.row(c).array() > scale_.least && scale.row(c).array() < kMostScale).cast<float>();
  }
  const ConstTileMap h_scale = Const(Rows(trace.hidden, 0, hidden));
  const ConstTileMap h_shift = Const(Rows(trace.hidden, hidden, hidden));
  MutableWeights(gradient + w_scale_, changed, hidden).noalias() += grad_raw * h_scale.transpose();
  MutableWeights(gradient + w_shift_, changed, hidden).noalias() +=
      grad_shift * h_shift.transpose();
  MutableBias(gradient + b_scale_, changed) += grad_raw.rowwise().sum();
  MutableBias(gradient + b_shift_, changed) += grad_shift.rowwise().sum();
  Rows(grad_hidden, 0, hidden).noalias() =
      Weights(parameters + w_scale_, changed, hidden).transpose() * grad_raw;
  Rows(grad_hidden, hidden, hidden).noalias() =
      Weights(parameters + w_shift_, changed, hidden).transpose() * grad_shift;
}

}  // namespace aisivi
