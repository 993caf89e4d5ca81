#include "engine/nn/dense.h"

#include <algorithm>

namespace aisivi {
namespace {

// One vector of samples and the block of accumulators that fills the register file.
#if defined(__AVX512F__)
constexpr int kLanes = 16, kRows = 8;
#elif defined(__AVX__)
constexpr int kLanes = 8, kRows = 4;
#else
constexpr int kLanes = 4, kRows = 4;
#endif
constexpr int kVectors = 3;
using Vector = float __attribute__((vector_size(kLanes * sizeof(float))));
using Memory = float __attribute__((vector_size(kLanes * sizeof(float)), aligned(4), may_alias));

// x − 0 is x for every float, and compilers know it: one broadcasting load.
inline Vector Broadcast(float x) { return x - Vector{}; }

struct Layer {
  const float* w;     // first row of the block
  const float* bias;  // may be null
  int64_t in;
  const float* x;
  int64_t x_stride;
  float* y;
  int64_t y_stride;
  bool relu;
  bool onto;  // y itself is what the sum starts from, not the bias
};

// R rows of y for C vectors of samples.
template <int R, int C>
inline __attribute__((always_inline)) void Block(const Layer& layer) {
  Vector sum[R][C];
#pragma GCC unroll 8
  for (int r = 0; r < R; ++r) {
    const Vector start = Broadcast(layer.bias != nullptr ? layer.bias[r] : 0.0f);
#pragma GCC unroll 3
    for (int c = 0; c < C; ++c) {
      sum[r][c] =
          layer.onto
              ? Vector(*reinterpret_cast<const Memory*>(layer.y + r * layer.y_stride + c * kLanes))
              : start;
    }
  }
  const float* x = layer.x;
  for (int64_t k = 0; k < layer.in; ++k, x += layer.x_stride) {
    Vector v[C];
#pragma GCC unroll 3
    for (int c = 0; c < C; ++c) v[c] = *reinterpret_cast<const Memory*>(x + c * kLanes);
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r) {
      const Vector weight = Broadcast(layer.w[r * layer.in + k]);
#pragma GCC unroll 3
      for (int c = 0; c < C; ++c) sum[r][c] += weight * v[c];
    }
  }
#pragma GCC unroll 8
  for (int r = 0; r < R; ++r) {
#pragma GCC unroll 3
    for (int c = 0; c < C; ++c) {
      // Not a NaN-eating max: a NaN must stay visible.
      if (layer.relu) sum[r][c] = sum[r][c] < 0.0f ? Vector{} : sum[r][c];
      *reinterpret_cast<Memory*>(layer.y + r * layer.y_stride + c * kLanes) = sum[r][c];
    }
  }
}

template <int C>
void RowsOf(Layer layer, int64_t out) {
  const auto advance = [&](int64_t rows) {
    layer.w += rows * layer.in;
    if (layer.bias != nullptr) layer.bias += rows;
    layer.y += rows * layer.y_stride;
  };
  for (; out >= kRows; out -= kRows, advance(kRows)) Block<kRows, C>(layer);
  for (; out >= 4; out -= 4, advance(4)) Block<4, C>(layer);
  for (; out >= 2; out -= 2, advance(2)) Block<2, C>(layer);
  if (out == 1) Block<1, C>(layer);
}

void AllColumns(Layer layer, int64_t rows, int64_t columns) {
  for (int64_t left = (columns + kLanes - 1) / kLanes; left > 0;) {
    const int64_t vectors = std::min<int64_t>(left, kVectors);
    switch (vectors) {
      case 3:
        RowsOf<3>(layer, rows);
        break;
      case 2:
        RowsOf<2>(layer, rows);
        break;
      default:
        RowsOf<1>(layer, rows);
    }
    left -= vectors;
    layer.x += vectors * kLanes;
    layer.y += vectors * kLanes;
  }
}

}  // namespace

void Dense(const float* w, const float* bias, const ConstTileMap& x, bool relu, TileMap y) {
  AllColumns({w, bias, x.rows(), x.data(), x.outerStride(), y.data(), y.outerStride(), relu, false},
             y.rows(), y.cols());
}

void DenseOnto(const float* w, const ConstTileMap& x, bool relu, TileMap y) {
  AllColumns(
      {w, nullptr, x.rows(), x.data(), x.outerStride(), y.data(), y.outerStride(), relu, true},
      y.rows(), y.cols());
}

}  // namespace aisivi
