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

// Uniforms (i + ½) 2^-24 for n rounded up to a multiple of 4; `out` must have room for them.
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

void FillUniform(const RngStream& stream, float* out, int64_t n, int64_t first) {
  float block[kBlock];
  for (int64_t done = 0; done < n; done += kBlock) {
    const int64_t count = std::min(kBlock, n - done);
    RawUniform(stream, first + done, count, block);
    std::copy_n(block, count, out + done);
  }
}

void FillNormal(const RngStream& stream, float* out, int64_t n, int64_t first) {
  constexpr float kTwoPi = 6.28318530717958647692f;
  alignas(64) float uniform[kBlock];
  alignas(64) float normal[kBlock];
  using Half = Eigen::Map<Eigen::Array<float, kBlock / 2, 1>, Eigen::Aligned64>;
  for (int64_t done = 0; done < n; done += kBlock) {
    // Always whole blocks of pairs (i, i + kBlock/2): the answer does not depend on n.
    const int64_t count = std::min(kBlock, n - done);
    RawUniform(stream, first + done, kBlock, uniform);
    const Half u1(uniform), u2(uniform + kBlock / 2);
    Half cosine(normal), sine(normal + kBlock / 2);
    Eigen::Array<float, kBlock / 2, 1> radius = (-2.0f * u1.log()).sqrt();
    cosine = radius * (kTwoPi * u2).cos();
    sine = radius * (kTwoPi * u2).sin();
    std::copy_n(normal, count, out + done);
  }
}

double UniformAt(const RngStream& stream, uint32_t index) {
  const r123::Philox4x32::ctr_type bits = Bits(stream, index);
  const uint64_t word = (static_cast<uint64_t>(bits[0]) << 32) | bits[1];
  return (static_cast<double>(word >> 11) + 0.5) * 0x1p-53;
}

}  // namespace aisivi
