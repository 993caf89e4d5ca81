#include "engine/parallel/rng.h"

#include <Random123/philox.h>

#include <algorithm>
#include <cmath>

namespace aisivi {
namespace {

constexpr int64_t kBlock = 1024;  // numbers made at a time; their scratch stays in L1

r123::Philox4x32::ctr_type Bits(const RngStream& stream, uint32_t counter) {
  const r123::Philox4x32::key_type key = {
      {static_cast<uint32_t>(stream.seed), static_cast<uint32_t>(stream.seed >> 32)}};
  const r123::Philox4x32::ctr_type index = {
      {counter, stream.shard, stream.iteration, static_cast<uint32_t>(stream.purpose)}};
  return r123::Philox4x32()(index, key);
}

// n numbers, a multiple of 4, from number `first` (a multiple of 4) of the stream on.
// (i + ½) 2^-24 would round to 1 for the largest i; 23 bits of i avoid that.
void RawUniform(const RngStream& stream, int64_t first, int64_t n, float* out) {
  constexpr float kScale = 1.0f / (1 << 23);
  for (int64_t i = 0; i < n; i += 4) {
    const r123::Philox4x32::ctr_type bits = Bits(stream, static_cast<uint32_t>((first + i) / 4));
    for (int j = 0; j < 4; ++j) {
      out[i + j] = (static_cast<float>(bits[j] >> 9) + 0.5f) * kScale;
    }
  }
}

}  // namespace

uint64_t SubSeed(uint64_t seed, RngPurpose purpose, uint64_t index) {
  const r123::Philox4x32::ctr_type bits =
      Bits({seed, purpose, 0, static_cast<uint32_t>(index >> 32)}, static_cast<uint32_t>(index));
  return (static_cast<uint64_t>(bits[0]) << 32) | bits[1];
}

void FillUniform(const RngStream& stream, float* out, int64_t n) {
  float block[kBlock];
  for (int64_t done = 0; done < n; done += kBlock) {
    const int64_t count = std::min(kBlock, n - done);
    RawUniform(stream, done, (count + 3) / 4 * 4, block);
    std::copy_n(block, count, out + done);
  }
}

void FillNormal(const RngStream& stream, float* out, int64_t n) {
  constexpr float kTwoPi = 6.28318530717958647692f;
  alignas(64) float uniform[kBlock];
  alignas(64) float normal[kBlock];
  using Half = Eigen::Map<Eigen::Array<float, Eigen::Dynamic, 1, 0, kBlock / 2, 1>>;
  for (int64_t done = 0; done < n; done += kBlock) {
    const int64_t count = std::min(kBlock, n - done);
    const int64_t half = (count + 31) / 32 * 16;
    RawUniform(stream, done, 2 * half, uniform);
    const Half u1(uniform, half), u2(uniform + half, half);
    Half cosine(normal, half), sine(normal + half, half);
    sine = (-2.0f * u1.log()).sqrt();
    cosine = sine * (kTwoPi * u2).cos();
    sine *= (kTwoPi * u2).sin();
    std::copy_n(normal, count, out + done);
  }
}

double UniformAt(const RngStream& stream, uint32_t index) {
  const r123::Philox4x32::ctr_type bits = Bits(stream, index);
  const uint64_t word = (static_cast<uint64_t>(bits[0]) << 32) | bits[1];
  return (static_cast<double>(word >> 11) + 0.5) * 0x1p-53;
}

}  // namespace aisivi
