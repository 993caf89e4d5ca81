// Counter-based random numbers: Philox4x32-10 (Salmon et al., SC 2011), from Random123.
//
// A stream is named by (seed, purpose, iteration, shard). Any stream can be produced anywhere, in
// any order, by any thread, with the same bits.
#pragma once

#include <Eigen/Core>
#include <cstdint>

namespace aisivi {

// What a stream is for. Values are part of the meaning of a seed: never renumber.
enum class RngPurpose : uint32_t {
  kFamilyInit = 1,
  kProposalInit = 2,
  kLatent = 3,       // ε of the points of a step
  kNoise = 4,        // η of the points of a step
  kInner = 5,        // inner samples
  kFlowLatent = 6,   // ε of a flow batch
  kFlowNoise = 7,    // η of a flow batch
  kDrawLatent = 8,   // ε of posterior draws
  kDrawNoise = 9,    // η of posterior draws
  kDrawInner = 10,   // inner samples for log q of draws
  kLogDensity = 11,  // inner samples for log q at given points
  kWarmStart = 12,
  kComponent = 13,  // the discrete part of ε
  kParticleInit = 19,
  kChainMomentum = 20,  // of chains of latents (methods/latent_chain.h)
  kChainAccept = 21,    // likewise: proposals taken or not, and the length of a step
  kAroundLatent = 22,   // ε ~ p(ε) of the points that KPG-IS smooths over
  kAroundNoise = 23,    // η of all of them
  kSharedNoise = 24,    // η of a flow step that shares the ε of the family step
  kScore = 25,          // inner samples for the score at given points
  // Of sub-seeds only, never of a stream.
  kRunSeed = 14,        // of a restart
  kAgreementSeed = 15,  // of the draws that tell whether restarts agree
  kInnerSeed = 16,      // of the inner samples of a component
  kEvidenceSeed = 17,   // of the draws that the evidence of the best restart is from
  kDrawOrder = 18,      // of the order in which a set of draws is gone through
  // Annealed sequential Monte Carlo.
  kExploreBase = 40,      // draws of the base
  kExploreResample = 41,  // whom the chains start from
  kExploreMomentum = 42,
  kExploreLabel = 43,      // the component whose metric moves a chain
  kExploreAccept = 44,     // proposals taken or not
  kExploreSeed = 45,       // of a round; of sub-seeds only
  kExplorePilotSeed = 46,  // of a pilot; of sub-seeds only
};

struct RngStream {
  uint64_t seed;
  RngPurpose purpose;
  uint32_t iteration;
  uint32_t shard;
};

// A seed of its own for part number `index` of what `seed` names, one Philox block: seeds of
// different (seed, purpose, index) are as good as independent, and so are all their streams. (Sums
// such as seed + index are not: part 1 of one seed would be part 0 of the next.)
uint64_t SubSeed(uint64_t seed, RngPurpose purpose, uint64_t index);

// n standard normals (Box–Muller on 23-bit uniforms; |value| < 5.8). The numbers depend on n too:
// ask for the same n to get the same numbers.
void FillNormal(const RngStream& stream, float* out, int64_t n);

// n uniforms on (0, 1), odd multiples of 2^-24; never 0 or 1.
void FillUniform(const RngStream& stream, float* out, int64_t n);

// One double uniform on (0, 1) with 53 bits: number `index` of the stream.
double UniformAt(const RngStream& stream, uint32_t index);

}  // namespace aisivi
