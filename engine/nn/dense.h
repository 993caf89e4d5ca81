// A dense layer on a tile: the product that fits spend their time in.
//
//   y = [ReLU](W x + b)
//
// Rows of a tile are contiguous over the samples and padded to whole vectors (tile.h), so that x is
// read and y written in place, without packing, and bias and ReLU cost nothing. Sums run over the
// inputs in order: the bits of a sample do not depend on the tile around it.
#pragma once

#include <cstdint>

#include "engine/nn/tile.h"

namespace aisivi {

// w: out×in, row-major. bias: out, or null for none. x: in×n, y: out×n, both from TakeTile (padding
// columns are computed and written too). in ≥ 0. y must not overlap x.
void Dense(const float* w, const float* bias, const ConstTileMap& x, bool relu, TileMap y);

// y ← [ReLU](y + W x): the same, onto what y holds.
void DenseOnto(const float* w, const ConstTileMap& x, bool relu, TileMap y);

// The columns that a caller should push through several layers at a time to keep them in L1.
inline constexpr int64_t kDenseColumns = 48;

}  // namespace aisivi
