// What the tests of the reference sampler share.
#pragma once

#include <gtest/gtest.h>

#include <Eigen/Core>
#include <cmath>
#include <vector>

#include "engine/explore/base.h"
#include "engine/explore/reference.h"
#include "engine/warmstart/mixture_fit.h"

namespace aisivi::test {

// The components of the mixture that the warm start fits to the target.
inline std::vector<AffineGaussian> FittedStart(const Target& target, uint64_t seed = 1) {
  ThreadPool pool(2);
  const absl::StatusOr<MixtureFit> fit = FitMixture(target, seed, pool, nullptr, nullptr);
  EXPECT_TRUE(fit.ok()) << fit.status();
  return fit.ok() ? ComponentsOf(*fit) : std::vector<AffineGaussian>();
}

// A run on two threads; its default where it fails, which fails the test.
inline Reference Sample(const Target& target, const std::vector<AffineGaussian>& start,
                        const ReferenceOptions& options, uint64_t seed) {
  ThreadPool pool(2);
  absl::StatusOr<Reference> result = SampleReference(target, start, options, seed, pool);
  EXPECT_TRUE(result.ok()) << result.status();
  return result.ok() ? *std::move(result) : Reference();
}

inline void ExpectCovers(const Reference& reference, double log_z) {
  EXPECT_LE(std::abs(reference.log_z - log_z), 3 * reference.standard_error)
      << reference.log_z << " ± " << reference.standard_error << ", true " << log_z;
}

}  // namespace aisivi::test
