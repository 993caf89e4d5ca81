// The inner loops of a coupling in the sampling direction: where a fit spends its time.
#pragma once

#include <cstdint>

#include "engine/nn/tile.h"

namespace aisivi {

// The two conditioner MLPs of a coupling, stacked: rows [0, hidden) of w_kept and of the context
// belong to the scale MLP, rows [hidden, 2·hidden) to the shift MLP. Matrices are row-major.
struct CouplingNet {
  const float* w_kept;     // 2·hidden × kept
  const float* context;    // 2·hidden rows, one contiguous column per point
  int64_t context_stride;  // from one point's column to the next
  const float* w_scale;    // changed × hidden
  const float* b_scale;    // changed
  const float* w_shift;    // changed × hidden
  const float* b_shift;    // changed
  int64_t kept, changed, hidden;
};

// h ← ReLU(W_k u + context) for columns [first, first + n) of a tile u (kept×N) whose column i
// belongs to point i / width. w_kept: rows×kept, row-major; context: rows of each point's column;
// h: rows×n. first is a multiple of 16; both are padded tiles.
void EvaluateHidden(const float* w_kept, const float* context, int64_t context_stride,
                    const ConstTileMap& u, int64_t width, int64_t first, TileMap h);

// raw ← W_s ReLU(W_k u + context)_s + b_s and shift ← W_t ReLU(…)_t + b_t, for a tile u (kept×n)
// whose column i belongs to point i / width. raw, shift: changed×n. All are padded tiles.
void EvaluateCouplingNet(const CouplingNet& net, const ConstTileMap& u, int64_t width,
                         Scratch& scratch, TileMap raw, TileMap shift);

// How a coupling's scale follows from what its MLP says: s = softplus(raw + offset) + floor, kept
// in [least, kMostScale].
struct CouplingScale {
  float offset, floor, least;
};
inline constexpr float kMostScale = 1e9f;  // a product of four stays inside single precision

// u ← s ⊙ u + shift;  log_det (n) += Σ_rows log s.  raw is overwritten.
void TransformChanged(TileMap raw, const TileMap& shift, const CouplingScale& scale, TileMap u,
                      double* log_det);

// out ← s of n values; in may equal out.
void ScaleRow(const float* in, const CouplingScale& scale, int64_t n, float* out);

// out ← softplus(in + offset) + floor, n values; in may equal out.
void SoftplusRow(const float* in, float offset, float floor, int64_t n, float* out);

}  // namespace aisivi
