// The matrix-product rate of this machine, at the shapes in use.
#pragma once

#include <vector>

#include "engine/bench/settings.h"
#include "engine/parallel/thread_pool.h"

namespace aisivi::bench {

// GFLOP/s of single-precision Eigen products over the mix of `shapes`, on all threads of the pool,
// each thread multiplying by itself. Median of several rounds.
double GemmGflops(const std::vector<GemmShape>& shapes, ThreadPool& pool);

}  // namespace aisivi::bench
