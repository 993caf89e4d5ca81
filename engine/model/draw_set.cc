#include "engine/model/draw_set.h"

#include <bit>

#include "engine/parallel/rng.h"

namespace aisivi {
namespace {

constexpr uint64_t kRounds = 6;

// A permutation of [0, 4^half) that `key` names.
uint64_t Shuffled(uint64_t value, int half, uint64_t key) {
  const uint64_t mask = (uint64_t{1} << half) - 1;
  uint64_t left = value >> half, right = value & mask;
  for (uint64_t round = 0; round < kRounds; ++round) {
    const uint64_t mixed =
        left ^ (SubSeed(key, RngPurpose::kDrawOrder, kRounds * right + round) & mask);
    left = right;
    right = mixed;
  }
  return left << half | right;
}

}  // namespace

int64_t IndexOfDraw(int64_t size, uint64_t seed, int64_t index) {
  const uint64_t count = static_cast<uint64_t>(size), number = static_cast<uint64_t>(index);
  const uint64_t key = SubSeed(seed, RngPurpose::kDrawOrder, number / count);
  const int half = (std::bit_width(count - 1) + 1) / 2;
  uint64_t entry = number % count;
  do {
    entry = Shuffled(entry, half, key);
  } while (entry >= count);
  return static_cast<int64_t>(entry);
}

}  // namespace aisivi
