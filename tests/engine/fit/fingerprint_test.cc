#include "engine/fit/fingerprint.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace aisivi {
namespace {

TEST(NumericFingerprintTest, IsSixteenDigitsAndTheSameAtAnyThreadCount) {
  EXPECT_THAT(NumericFingerprint(), testing::MatchesRegex("[0-9a-f]{16}"));
  // FNV-1a of nothing: the fit failed.
  EXPECT_NE(NumericFingerprint(), "cbf29ce484222325");
  ThreadPool pool(3);
  EXPECT_EQ(ComputeNumericFingerprint(pool), NumericFingerprint());
}

}  // namespace
}  // namespace aisivi
