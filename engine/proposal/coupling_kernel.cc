#include "engine/proposal/coupling_kernel.h"

#include <algorithm>

#include "engine/nn/dense.h"
#include "engine/nn/row_sums.h"

namespace aisivi {
namespace {

using Row = Eigen::Map<Eigen::Array<float, 1, Eigen::Dynamic>>;
using ConstRow = Eigen::Map<const Eigen::Array<float, 1, Eigen::Dynamic>>;

// h ← ReLU(h + context); column i of h is column first + i of the tile and belongs to point
// (first + i) / width.
void AddContextRelu(const float* context, int64_t context_stride, int64_t width, int64_t first,
                    TileMap h) {
  for (int64_t i = 0; i < h.cols();) {
    const int64_t point = (first + i) / width;
    const int64_t count = std::min((point + 1) * width - first - i, h.cols() - i);
    for (int64_t r = 0; r < h.rows(); ++r) {
      Row part(h.row(r).data() + i, count);
      part = (part + context[point * context_stride + r]).max(0.0f);
    }
    i += count;
  }
}

}  // namespace

void EvaluateHidden(const float* w_kept, const float* context, int64_t context_stride,
                    const ConstTileMap& u, int64_t width, int64_t first, TileMap h) {
  // Only a strip of one point can take the context as its bias.
  const bool one_point = width >= u.cols();
  Dense(w_kept, one_point ? context : nullptr, Columns(u, first, h.cols()), one_point, h);
  if (!one_point) AddContextRelu(context, context_stride, width, first, h);
}

void EvaluateCouplingNet(const CouplingNet& net, const ConstTileMap& u, int64_t width,
                         Scratch& scratch, TileMap raw, TileMap shift) {
  if (net.changed == 0) return;
  Scratch::Frame frame(scratch);
  TileMap h = TakeTile(scratch, 2 * net.hidden, std::min(u.cols(), kDenseColumns));
  for (int64_t first = 0; first < u.cols(); first += kDenseColumns) {
    // A narrow strip of samples goes through both layers while its hidden units are in L1.
    const int64_t n = std::min(kDenseColumns, u.cols() - first);
    TileMap strip = Columns(h, 0, n);
    EvaluateHidden(net.w_kept, net.context, net.context_stride, u, width, first, strip);
    Dense(net.w_scale, net.b_scale, Const(Rows(strip, 0, net.hidden)), false,
          Columns(raw, first, n));
    Dense(net.w_shift, net.b_shift, Const(Rows(strip, net.hidden, net.hidden)), false,
          Columns(shift, first, n));
  }
}

void SoftplusRow(const float* in, float offset, float floor, int64_t n, float* out) {
  const ConstRow v(in, n);
  Row result(out, n);
  // softplus(v) = max(v, 0) + log1p(e^{−|v|}); log1p by log is exact enough: its argument is in
  // (0, 1], and the sum is bounded below by the floor.
  result = (v + offset).max(0.0f) + ((-(v + offset).abs()).exp() + 1.0f).log() + floor;
}

void ScaleRow(const float* in, const CouplingScale& scale, int64_t n, float* out) {
  SoftplusRow(in, scale.offset, scale.floor, n, out);
  Row s(out, n);
  s = s.max(scale.least).min(kMostScale);
}

void TransformChanged(TileMap raw, const TileMap& shift, const CouplingScale& scale, TileMap u,
                      double* log_det) {
  constexpr int64_t kGroup = 4;  // one logarithm for so many rows
  const int64_t n = u.cols();
  for (int64_t first = 0; first < u.rows(); first += kGroup) {
    const int64_t last = std::min(first + kGroup, u.rows());
    for (int64_t c = first; c < last; ++c) {
      Row s(raw.row(c).data(), n);
      ScaleRow(s.data(), scale, n, s.data());
      u.row(c).array() = s * u.row(c).array() + shift.row(c).array();
    }
    Row product(raw.row(first).data(), n);
    for (int64_t c = first + 1; c < last; ++c) product *= raw.row(c).array();
    product = product.log();
    AddRow(product.data(), n, log_det);
  }
}

}  // namespace aisivi
