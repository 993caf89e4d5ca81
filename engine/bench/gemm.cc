#include "engine/bench/gemm.h"

#include <algorithm>
#include <chrono>

#include "engine/nn/product.h"

namespace aisivi::bench {
namespace {

// Seconds of one product of this shape while every thread does the same.
double SecondsEach(const GemmShape& shape, ThreadPool& pool) {
  const int64_t repeats =
      std::max<int64_t>(1, static_cast<int64_t>(4e8 / (shape.Flop() / shape.count)));
  std::vector<Tile> w, x, y;
  for (int t = 0; t < pool.threads(); ++t) {
    w.emplace_back(Tile::Random(shape.out, shape.in));
    x.emplace_back(Tile::Random(shape.in, shape.columns));
    y.emplace_back(Tile::Zero(shape.out, shape.columns));
  }
  std::vector<double> seconds;
  for (int round = 0; round < 7; ++round) {
    const auto start = std::chrono::steady_clock::now();
    pool.ParallelFor(pool.threads(),
                     [&](int64_t t, int) { RepeatProduct(w[t], x[t], repeats, &y[t]); });
    seconds.push_back(
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() /
        static_cast<double>(repeats));
  }
  std::nth_element(seconds.begin(), seconds.begin() + 3, seconds.end());
  return seconds[3];
}

}  // namespace

double GemmGflops(const std::vector<GemmShape>& shapes, ThreadPool& pool) {
  double flop = 0, seconds = 0;
  for (const GemmShape& shape : shapes) {
    if (shape.Flop() <= 0) continue;
    flop += shape.Flop();
    seconds += shape.count * SecondsEach(shape, pool) / pool.threads();
  }
  return flop / seconds * 1e-9;
}

}  // namespace aisivi::bench
