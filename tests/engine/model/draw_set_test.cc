#include "engine/model/draw_set.h"

#include <gtest/gtest.h>

#include <set>
#include <vector>

namespace aisivi {
namespace {

std::vector<int64_t> Pass(int64_t size, uint64_t seed, int64_t pass) {
  std::vector<int64_t> indices;
  for (int64_t i = 0; i < size; ++i) indices.push_back(IndexOfDraw(size, seed, pass * size + i));
  return indices;
}

TEST(DrawSetTest, EveryPassMeetsEveryDrawOnce) {
  for (const int64_t size : {1, 2, 3, 4, 5, 16, 17, 1000, 4096, 5000}) {
    for (const int64_t pass : {0, 1, 1000000007}) {
      const std::vector<int64_t> indices = Pass(size, 3, pass);
      const std::set<int64_t> distinct(indices.begin(), indices.end());
      EXPECT_EQ(static_cast<int64_t>(distinct.size()), size);
      EXPECT_EQ(*distinct.begin(), 0);
      EXPECT_EQ(*distinct.rbegin(), size - 1);
    }
  }
}

TEST(DrawSetTest, TheOrderIsThatOfSeedAndPass) {
  EXPECT_EQ(Pass(1000, 3, 2), Pass(1000, 3, 2));
  EXPECT_NE(Pass(1000, 3, 2), Pass(1000, 3, 1));
  EXPECT_NE(Pass(1000, 3, 2), Pass(1000, 4, 2));
}

// Neighbours in the set are correlated draws: a part of a pass must not prefer any place or pair.
TEST(DrawSetTest, TheOrderIsEven) {
  constexpr int64_t kSize = 6;
  constexpr int kSeeds = 20000;
  std::vector<int> firsts(kSize), steps(kSize);
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    const int64_t first = IndexOfDraw(kSize, seed, 0), second = IndexOfDraw(kSize, seed, 1);
    ++firsts[static_cast<size_t>(first)];
    ++steps[static_cast<size_t>((second - first + kSize) % kSize)];
  }
  for (size_t k = 0; k < kSize; ++k) {
    EXPECT_NEAR(firsts[k], kSeeds / kSize, 300) << k;
    EXPECT_NEAR(steps[k], k == 0 ? 0 : kSeeds / (kSize - 1), k == 0 ? 0 : 400) << k;
  }
}

}  // namespace
}  // namespace aisivi
