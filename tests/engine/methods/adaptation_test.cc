#include "engine/methods/adaptation.h"

#include <gtest/gtest.h>

namespace aisivi {
namespace {

// Fifty steps that all see the same, and the decision that is due after them.
void Play(double ess, double residual, double noise, double flop, Adaptation* adaptation) {
  for (int i = 1; i < 50; ++i) ASSERT_FALSE(RecordStep(ess, residual, adaptation)) << i;
  ASSERT_TRUE(RecordStep(ess, residual, adaptation));
  Adapt(noise, flop, adaptation);
  EXPECT_EQ(adaptation->steps, 0);
}

TEST(AdaptationStateTest, InnerSamplesFollowTheNoiseOfTheScore) {
  Adaptation a = BeginAdaptation(64, 2);
  EXPECT_EQ(a.total_inner_samples, 64);
  for (const int64_t expected : {128, 256, 512, 512}) {  // eight times at most
    Play(0.7, 1, 0.6, 1, &a);
    EXPECT_EQ(a.total_inner_samples, expected);
  }
  Play(0.7, 1, 0.3, 1, &a);  // neither noisy nor quiet
  EXPECT_EQ(a.total_inner_samples, 512);
  Play(0.7, 1, 0.01, 1, &a);  // quiet, but the proposal is not near exact
  EXPECT_EQ(a.total_inner_samples, 512);
  for (const int64_t expected : {256, 128, 64, 32, 16, 8, 8}) {  // an eighth at least
    Play(0.95, 1, 0.01, 1, &a);
    EXPECT_EQ(a.total_inner_samples, expected);
  }
  Play(0.7, 1, 0.6, 1.1e9, &a);  // two of these would be too many operations
  EXPECT_EQ(a.total_inner_samples, 8);
}

TEST(AdaptationStateTest, FlowStepsFollowTheEffectiveShare) {
  Adaptation a = BeginAdaptation(64, 2);
  for (const int64_t expected : {3, 4, 5, 6, 7, 8, 8}) {
    Play(0.4, 1, 0.3, 1, &a);
    EXPECT_EQ(a.flow_steps, expected);
  }
  Play(0.6, 1, 0.3, 1, &a);
  EXPECT_EQ(a.flow_steps, 8);
  for (const int64_t expected : {7, 6, 5, 4, 3, 2, 2}) {
    Play(0.85, 1, 0.3, 1, &a);
    EXPECT_EQ(a.flow_steps, expected);
  }
}

}  // namespace
}  // namespace aisivi
