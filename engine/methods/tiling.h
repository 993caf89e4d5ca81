// How many inner samples go through the networks at a time.
#pragma once

#include <algorithm>
#include <cstdint>

namespace aisivi {

// Shared ε per tile of the prior pass.
inline constexpr int64_t kSharedTile = 256;

// Columns of a tile of the proposal pass, for k inner samples per point: as many as keep the tile's
// arrays in the L2 cache beside the weights, cut so that all tiles of a point are about equal.
// Depends on the problem only, never on the machine.
inline int64_t TileWidth(int64_t k, int64_t latent_dim, int64_t dim, int64_t family_hidden,
                         int64_t coupling_hidden) {
  constexpr int64_t kTileBytes = 3 << 19;
  const int64_t rows = 2 * coupling_hidden + 3 * latent_dim + 3 * dim + 2 * family_hidden;
  const int64_t widest = std::clamp<int64_t>(kTileBytes / (4 * rows) / 16 * 16, 64, 512);
  const int64_t tiles = (k + widest - 1) / widest;
  return (k + tiles - 1) / tiles;
}

}  // namespace aisivi
