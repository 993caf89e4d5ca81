#include "engine/proposal/spline_coupling.h"

#include <algorithm>

#include "engine/nn/dense.h"
#include "engine/proposal/coupling_kernel.h"
#include "engine/proposal/rational_quadratic.h"

namespace aisivi {

SplineCoupling::SplineCoupling(const CouplingPlace& place)
    : CouplingLayer(place, place.hidden, kSplineOutputs * place.changed * (place.hidden + 1),
                    kSplineOutputs * place.changed),
      w_(last_layer_),
      b_(w_ + kSplineOutputs * place.changed * place.hidden) {}

void SplineCoupling::NormaliseForward(float* parameters) const { norm_.Set(0, 0, 0, parameters); }

void SplineCoupling::Transform(const float* parameters, const float* context,
                               int64_t context_stride, int64_t width, Scratch& scratch, TileMap u,
                               double* log_det) const {
  if (place_.changed == 0) return;
  const ConstTileMap kept = Const(Rows(u, place_.kept_first, place_.kept));
  const TileMap changed = Rows(u, place_.changed_first, place_.changed);
  const int64_t most = std::min(u.cols(), kDenseColumns);
  TileMap h = TakeTile(scratch, hidden_rows_, most);
  TileMap raw = TakeTile(scratch, raw_rows_, most);
  for (int64_t first = 0; first < u.cols(); first += kDenseColumns) {
    // A narrow strip goes through network and splines while its parameters are in L1 or L2.
    const int64_t n = std::min(kDenseColumns, u.cols() - first);
    const TileMap hidden = Columns(h, 0, n), outputs = Columns(raw, 0, n);
    EvaluateHidden(parameters + w_kept_, context, context_stride, kept, width, first, hidden);
    Dense(parameters + w_, parameters + b_, Const(hidden), false, outputs);
    for (int64_t c = 0; c < place_.changed; ++c) {
      ApplySpline(SplineDirection::kInverse,
                  Const(Rows(outputs, c * kSplineOutputs, kSplineOutputs)),
                  const_cast<float*>(changed.row(c).data()) + first, log_det + first);
    }
  }
}

void SplineCoupling::Undo(const float* parameters, const Trace& trace, Scratch&, TileMap changed,
                          double* log_det) const {
  Dense(parameters + w_, parameters + b_, Const(trace.hidden), false, trace.raw);
  for (int64_t c = 0; c < place_.changed; ++c) {
    ApplySpline(SplineDirection::kForward,
                Const(Rows(trace.raw, c * kSplineOutputs, kSplineOutputs)), changed.row(c).data(),
                log_det);
  }
}

void SplineCoupling::UndoBackward(const float* parameters, const Trace& trace, float det_weight,
                                  Scratch& scratch, TileMap grad_changed, TileMap grad_hidden,
                                  float* gradient) const {
  TileMap grad_raw = TakeTile(scratch, raw_rows_, grad_changed.cols());
  for (int64_t c = 0; c < place_.changed; ++c) {
    const int64_t first = c * kSplineOutputs;
    SplineBackward(Const(Rows(trace.raw, first, kSplineOutputs)),
                   trace.normed.row(place_.changed_first + c).data(), det_weight,
                   grad_changed.row(c).data(), Rows(grad_raw, first, kSplineOutputs));
  }
  MutableWeights(gradient + w_, raw_rows_, hidden_rows_).noalias() +=
      grad_raw * trace.hidden.transpose();
  MutableBias(gradient + b_, raw_rows_) += grad_raw.rowwise().sum();
  grad_hidden.noalias() = Weights(parameters + w_, raw_rows_, hidden_rows_).transpose() * grad_raw;
}

}  // namespace aisivi
