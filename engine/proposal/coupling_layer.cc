#include "engine/proposal/coupling_layer.h"

#include <algorithm>
#include <cmath>

#include "engine/nn/dense.h"

namespace aisivi {

CouplingLayer::CouplingLayer(const CouplingPlace& place, int64_t hidden_rows, int64_t last_layer,
                             int64_t raw_rows)
    : place_(place),
      hidden_rows_(hidden_rows),
      raw_rows_(raw_rows),
      w_kept_(place.parameter_offset),
      w_x_(w_kept_ + hidden_rows * place.kept),
      b_hidden_(w_x_ + hidden_rows * place.dim),
      last_layer_(b_hidden_ + hidden_rows),
      norm_(place.kept + place.changed, last_layer_ + last_layer),
      count_(last_layer_ + last_layer + norm_.parameter_count() - place.parameter_offset) {}

void CouplingLayer::Initialize(const RngStream& stream, float* parameters) const {
  const int64_t first = w_kept_;
  std::fill_n(parameters + first, count_, 0.0f);
  const int64_t hidden_count = last_layer_ - w_kept_;
  FillUniform(stream, parameters + first, hidden_count);
  const float bound =
      1.0f / std::sqrt(static_cast<float>(place_.kept + place_.changed + place_.dim));
  for (int64_t i = 0; i < hidden_count; ++i) {
    parameters[first + i] = bound * (2.0f * parameters[first + i] - 1.0f);
  }
}

void CouplingLayer::Context(const float* parameters, const Eigen::MatrixXf& x,
                            Eigen::Ref<Eigen::MatrixXf> context) const {
  context.noalias() = Weights(parameters + w_x_, hidden_rows_, place_.dim) * x;
  context.colwise() += Bias(parameters + b_hidden_, hidden_rows_);
}

void CouplingLayer::Forward(const float* parameters, const float* context, int64_t context_stride,
                            int64_t width, Scratch& scratch, TileMap u, double* log_det) const {
  Scratch::Frame frame(scratch);
  Transform(parameters, context, context_stride, width, scratch, u, log_det);
  norm_.Forward(parameters, u, log_det);
}

CouplingLayer::Trace CouplingLayer::Inverse(const float* parameters, const ConstTileMap& x,
                                            Scratch& scratch, TileMap u, double* log_det) const {
  const int64_t n = u.cols();
  Trace trace{TakeTile(scratch, hidden_rows_, n), TakeTile(scratch, raw_rows_, n),
              TakeTile(scratch, u.rows(), n), TakeTile(scratch, u.rows(), n)};
  norm_.Inverse(parameters, Const(u), trace.normed, log_det);
  Dense(parameters + w_x_, parameters + b_hidden_, x, false, trace.hidden);
  DenseOnto(parameters + w_kept_, Const(Rows(trace.normed, place_.kept_first, place_.kept)), true,
            trace.hidden);
  trace.u = trace.normed;
  Scratch::Frame frame(scratch);
  Undo(parameters, trace, scratch, Rows(trace.u, place_.changed_first, place_.changed), log_det);
  u = trace.u;
  return trace;
}

void CouplingLayer::Backward(const float* parameters, const Trace& trace, float det_weight,
                             Scratch& scratch, TileMap grad_u, TileMap grad_context,
                             float* gradient) const {
  Scratch::Frame frame(scratch);
  if (place_.changed > 0) {
    UndoBackward(parameters, trace, det_weight, scratch,
                 Rows(grad_u, place_.changed_first, place_.changed), grad_context, gradient);
    grad_context.array() *= (trace.hidden.array() > 0.0f).cast<float>();
  } else {
    grad_context.setZero();
  }
  if (place_.kept > 0) {
    MutableWeights(gradient + w_kept_, hidden_rows_, place_.kept).noalias() +=
        grad_context * Rows(trace.normed, place_.kept_first, place_.kept).transpose();
    Rows(grad_u, place_.kept_first, place_.kept).noalias() +=
        Weights(parameters + w_kept_, hidden_rows_, place_.kept).transpose() * grad_context;
  }
  norm_.Backward(parameters, Const(trace.normed), det_weight, grad_u, gradient);
}

void CouplingLayer::ContextBackward(const ConstTileMap& grad_context, const ConstTileMap& x,
                                    float* gradient) const {
  MutableWeights(gradient + w_x_, hidden_rows_, place_.dim).noalias() +=
      grad_context * x.transpose();
  MutableBias(gradient + b_hidden_, hidden_rows_) += grad_context.rowwise().sum();
}

}  // namespace aisivi
