// Presets whose published steps are many and small, on the target that they were published for.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "tests/engine/fit/testing.h"

namespace aisivi {
namespace {

struct Beginning {
  std::string preset, target;
  int64_t iterations;  // of thousands
};

FitResult FitByPreset(const Beginning& b, int64_t iterations) {
  const auto target = test::Make(b.target);
  FitOptions options = *FindPreset(b.preset);
  options.iterations = iterations;
  options.evidence_flow_iterations = std::min<int64_t>(options.evidence_flow_iterations, 100);
  options.evidence_draws = 1024;
  options.evidence_inner_samples = 64;
  ThreadPool pool(2);
  absl::StatusOr<FitResult> result = RunFit(*target, options, pool);
  EXPECT_TRUE(result.ok()) << b.preset << ": " << result.status();
  return result.ok() ? *std::move(result) : FitResult();
}

TEST(LongPresetsTest, TheBeginningOfALongRunGains) {
  for (const Beginning& b : {Beginning{"uivi_banana", "banana", 2000},
                             {"uivi_multimodal", "multimodal", 2000},
                             {"uivi_x_shaped", "x_shaped", 2000},
                             {"sivi_multimodal", "multimodal", 300},
                             {"sivi_x_shaped", "x_shaped", 300},
                             {"pvi_x_shaped", "x_shaped", 100}}) {
    const FitResult start = FitByPreset(b, 0), result = FitByPreset(b, b.iterations);
    ASSERT_NE(result.model, nullptr) << b.preset;
    EXPECT_EQ(result.reason, TerminationReason::kIterationLimit) << b.preset;
    EXPECT_EQ(result.last.skipped_steps, 0) << b.preset;
    EXPECT_TRUE(std::isfinite(result.evidence.log_z)) << b.preset;
    EXPECT_TRUE(std::isfinite(result.evidence.elbo_lower)) << b.preset;
    EXPECT_GT(result.evidence.elbo_lower, start.evidence.elbo_lower) << b.preset;
  }
}

}  // namespace
}  // namespace aisivi
