#include "engine/nn/product.h"

namespace aisivi {

void RepeatProduct(const Tile& w, const Tile& x, int64_t repeats, Tile* y) {
  for (int64_t r = 0; r < repeats; ++r) y->noalias() = w * x;
}

}  // namespace aisivi
