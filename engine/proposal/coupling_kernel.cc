#include "engine/proposal/coupling_kernel.h"

#include <algorithm>

namespace aisivi {
namespace {

using Row = Eigen::Map<Eigen::Array<float, 1, Eigen::Dynamic>>;
using ConstRow = Eigen::Map<const Eigen::Array<float, 1, Eigen::Dynamic>>;

// h ← ReLU(h + context), where column i belongs to point i / width.
void AddContextRelu(const CouplingNet& net, int64_t width, TileMap h) {
  for (int64_t r = 0; r < h.rows(); ++r) {
    float* row = h.row(r).data();
    for (int64_t first = 0, point = 0; first < h.cols(); first += width, ++point) {
      Row part(row + first, std::min(width, h.cols() - first));
      part = (part + net.context[point * net.context_stride + r]).max(0.0f);
    }
  }
}

}  // namespace

void EvaluateCouplingNet(const CouplingNet& net, const ConstTileMap& u, int64_t width,
                         Scratch& scratch, TileMap raw, TileMap shift) {
  if (net.changed == 0) return;
  Scratch::Frame frame(scratch);
  TileMap h = TakeTile(scratch, 2 * net.hidden, u.cols());
  if (net.kept > 0) {
    h.noalias() = Weights(net.w_kept, 2 * net.hidden, net.kept) * u;
  } else {
    h.setZero();
  }
  AddContextRelu(net, width, h);
  raw.noalias() = Weights(net.w_scale, net.changed, net.hidden) * Rows(h, 0, net.hidden);
  raw.colwise() += Bias(net.b_scale, net.changed);
  shift.noalias() = Weights(net.w_shift, net.changed, net.hidden) * Rows(h, net.hidden, net.hidden);
  shift.colwise() += Bias(net.b_shift, net.changed);
}

void SoftplusRow(const float* in, float offset, float floor, int64_t n, float* out) {
  const ConstRow v(in, n);
  Row result(out, n);
  // softplus(v) = max(v, 0) + log1p(e^{−|v|}); log1p by log is exact enough: its argument is in
  // (0, 1], and the sum is bounded below by the floor.
  result = (v + offset).max(0.0f) + ((-(v + offset).abs()).exp() + 1.0f).log() + floor;
}

void TransformChanged(TileMap raw, const TileMap& shift, float offset, float floor, TileMap u,
                      float* log_det) {
  const int64_t n = u.cols();
  Row det(log_det, n);
  for (int64_t c = 0; c < u.rows(); ++c) {
    Row s(raw.row(c).data(), n);
    SoftplusRow(s.data(), offset, floor, n, s.data());
    u.row(c).array() = s * u.row(c).array() + shift.row(c).array();
    det += s.log();
  }
}

}  // namespace aisivi
