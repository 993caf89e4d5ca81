// One single-precision matrix product with the engine's own instructions, for measuring it.
#pragma once

#include "engine/nn/tile.h"

namespace aisivi {

// y ← w x, `repeats` times. Shapes: out×in, in×n, out×n.
void RepeatProduct(const Tile& w, const Tile& x, int64_t repeats, Tile* y);

}  // namespace aisivi
