// The matrix types of the networks.
//
// Shapes are D×N everywhere: one point (sample) per column. Batches that cross module boundaries
// are column-major doubles (Eigen::MatrixXd). Inside the networks numbers are single precision and
// stored row-major: one coordinate contiguous over the samples, so that elementwise work vectorises
// at any D, also D = 2.
#pragma once

#include <Eigen/Core>

#include "engine/parallel/scratch.h"

namespace aisivi {

using Tile = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using TileMap = Eigen::Map<Tile, Eigen::Unaligned, Eigen::OuterStride<>>;
using ConstTileMap = Eigen::Map<const Tile, Eigen::Unaligned, Eigen::OuterStride<>>;
using Weights = Eigen::Map<const Tile>;  // out × in
using MutableWeights = Eigen::Map<Tile>;
using Bias = Eigen::Map<const Eigen::VectorXf>;
using MutableBias = Eigen::Map<Eigen::VectorXf>;

// Rows are padded to 64 bytes, so that every row starts aligned.
inline int64_t PaddedColumns(int64_t columns) { return (columns + 15) / 16 * 16; }

inline TileMap TakeTile(Scratch& scratch, int64_t rows, int64_t columns) {
  const int64_t stride = PaddedColumns(columns);
  return TileMap(scratch.Take<float>(rows * stride), rows, columns, Eigen::OuterStride<>(stride));
}

inline ConstTileMap Const(const TileMap& tile) {
  return ConstTileMap(tile.data(), tile.rows(), tile.cols(),
                      Eigen::OuterStride<>(tile.outerStride()));
}

// Rows [first, first + count) of a tile.
inline TileMap Rows(const TileMap& tile, int64_t first, int64_t count) {
  return TileMap(const_cast<float*>(tile.data()) + first * tile.outerStride(), count, tile.cols(),
                 Eigen::OuterStride<>(tile.outerStride()));
}
inline ConstTileMap Rows(const ConstTileMap& tile, int64_t first, int64_t count) {
  return ConstTileMap(tile.data() + first * tile.outerStride(), count, tile.cols(),
                      Eigen::OuterStride<>(tile.outerStride()));
}

// Columns [first, first + count) of a tile; first a multiple of 16 keeps the rows aligned.
inline TileMap Columns(const TileMap& tile, int64_t first, int64_t count) {
  return TileMap(const_cast<float*>(tile.data()) + first, tile.rows(), count,
                 Eigen::OuterStride<>(tile.outerStride()));
}
inline ConstTileMap Columns(const ConstTileMap& tile, int64_t first, int64_t count) {
  return ConstTileMap(tile.data() + first, tile.rows(), count,
                      Eigen::OuterStride<>(tile.outerStride()));
}

}  // namespace aisivi
