#include "engine/parallel/rng.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>
#include <vector>

namespace aisivi {
namespace {

constexpr RngStream kStream = {42, RngPurpose::kInner, 3, 5};
constexpr int64_t kSizes[] = {1, 2, 3, 4, 5, 31, 32, 33, 1023, 1024, 1025, 5000};

std::vector<float> Draw(void (*fill)(const RngStream&, float*, int64_t), const RngStream& stream,
                        int64_t n) {
  std::vector<float> result(n);
  fill(stream, result.data(), n);
  return result;
}

std::vector<RngStream> OtherStreams() {
  std::vector<RngStream> others(5, kStream);
  others[0].seed = 43;
  others[1].seed = kStream.seed + (uint64_t{1} << 32);
  others[2].purpose = RngPurpose::kLatent;
  others[3].iteration = 4;
  others[4].shard = 6;
  return others;
}

TEST(RngTest, SameStreamSameNumbers) {
  for (const int64_t n : kSizes) {
    EXPECT_EQ(Draw(FillNormal, kStream, n), Draw(FillNormal, kStream, n));
    EXPECT_EQ(Draw(FillUniform, kStream, n), Draw(FillUniform, kStream, n));
  }
  EXPECT_EQ(UniformAt(kStream, 9), UniformAt(kStream, 9));
}

TEST(RngTest, EveryPartOfTheNameMatters) {
  const std::vector<float> base = Draw(FillNormal, kStream, 1000);
  for (const RngStream& other : OtherStreams()) {
    const std::vector<float> values = Draw(FillNormal, other, 1000);
    int equal = 0;
    double product = 0;
    for (size_t i = 0; i < base.size(); ++i) {
      equal += base[i] == values[i];
      product += static_cast<double>(base[i]) * values[i];
    }
    EXPECT_LT(equal, 5);
    EXPECT_LT(std::abs(product / 1000), 5 / std::sqrt(1000.0));
    EXPECT_NE(UniformAt(kStream, 0), UniformAt(other, 0));
  }
}

// Seeds of neighbours, of runs and of components: all different, with streams that are.
TEST(RngTest, SubSeedsNeverMeet) {
  std::set<uint64_t> seeds;
  size_t count = 0;
  for (const uint64_t seed : {0u, 1u, 2u, 3u, 1000u}) {
    count += seeds.insert(seed).second;
    for (const RngPurpose purpose :
         {RngPurpose::kRunSeed, RngPurpose::kAgreementSeed, RngPurpose::kInnerSeed}) {
      for (uint64_t index = 0; index < 200; ++index) {
        const uint64_t part = SubSeed(seed, purpose, index);
        EXPECT_EQ(part, SubSeed(seed, purpose, index));
        seeds.insert(part);
        seeds.insert(SubSeed(part, RngPurpose::kInnerSeed, index));  // a component of a run
        count += 2;
      }
    }
  }
  EXPECT_EQ(seeds.size(), count);
  EXPECT_NE(SubSeed(1, RngPurpose::kRunSeed, 1),
            SubSeed(1, RngPurpose::kRunSeed, 1 + (uint64_t{1} << 32)));
  // The next part of one seed is not a part of the next seed.
  const std::vector<float> a =
      Draw(FillNormal, {SubSeed(1, RngPurpose::kRunSeed, 1), RngPurpose::kInner, 0, 0}, 1000);
  const std::vector<float> b =
      Draw(FillNormal, {SubSeed(2, RngPurpose::kRunSeed, 0), RngPurpose::kInner, 0, 0}, 1000);
  double product = 0;
  for (size_t i = 0; i < a.size(); ++i) product += static_cast<double>(a[i]) * b[i];
  EXPECT_LT(std::abs(product / 1000), 5 / std::sqrt(1000.0));
}

TEST(RngTest, WritesExactlyWhatWasAskedFor) {
  for (const int64_t n : kSizes) {
    for (const auto fill : {FillNormal, FillUniform}) {
      std::vector<float> values(n + 2, -77.0f);
      fill(kStream, values.data() + 1, n);
      EXPECT_EQ(values.front(), -77.0f);
      EXPECT_EQ(values.back(), -77.0f);
      for (int64_t i = 1; i <= n; ++i) EXPECT_NE(values[i], -77.0f);
    }
  }
}

// Mean, variance, skewness and kurtosis within six standard errors, and no link between neighbours.
TEST(RngTest, NormalMoments) {
  constexpr int64_t kCount = 1 << 20;
  const std::vector<float> values = Draw(FillNormal, kStream, kCount);
  double sum[5] = {};
  double neighbours = 0;
  for (int64_t i = 0; i < kCount; ++i) {
    ASSERT_LT(std::abs(values[i]), 5.8f);
    double power = 1;
    for (int p = 1; p <= 4; ++p) sum[p] += power *= values[i];
    if (i > 0) neighbours += static_cast<double>(values[i]) * values[i - 1];
  }
  const double root = std::sqrt(static_cast<double>(kCount));
  EXPECT_NEAR(sum[1] / kCount, 0, 6 / root);
  EXPECT_NEAR(sum[2] / kCount, 1, 6 * std::sqrt(2.0) / root);
  EXPECT_NEAR(sum[3] / kCount, 0, 6 * std::sqrt(15.0) / root);
  EXPECT_NEAR(sum[4] / kCount, 3, 6 * std::sqrt(96.0) / root);
  EXPECT_NEAR(neighbours / kCount, 0, 6 / root);
}

TEST(RngTest, NormalTailsHaveTheirShare) {
  constexpr int64_t kCount = 1 << 20;
  const std::vector<float> values = Draw(FillNormal, {7, RngPurpose::kNoise, 0, 0}, kCount);
  for (const double t : {-3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0}) {
    int64_t below = 0;
    for (const float v : values) below += v < t;
    const double p = 0.5 * std::erfc(-t / std::sqrt(2.0));
    EXPECT_NEAR(static_cast<double>(below) / kCount, p, 6 * std::sqrt(p * (1 - p) / kCount)) << t;
  }
}

TEST(RngTest, UniformsAreOddMultiplesInsideTheUnitInterval) {
  constexpr int64_t kCount = 1 << 20;
  const std::vector<float> values = Draw(FillUniform, kStream, kCount);
  double sum = 0, square = 0;
  for (const float v : values) {
    ASSERT_GT(v, 0.0f);
    ASSERT_LT(v, 1.0f);
    const double scaled = static_cast<double>(v) * (1 << 24);
    ASSERT_EQ(std::fmod(scaled, 2.0), 1.0) << v;
    sum += v;
    square += static_cast<double>(v) * v;
  }
  const double root = std::sqrt(static_cast<double>(kCount));
  EXPECT_NEAR(sum / kCount, 0.5, 6 * std::sqrt(1.0 / 12) / root);
  EXPECT_NEAR(square / kCount, 1.0 / 3, 6 * std::sqrt(4.0 / 45) / root);
}

TEST(RngTest, UniformAtCoversTheIntervalWithoutRepeats) {
  std::set<double> seen;
  double sum = 0;
  constexpr int kCount = 20000;
  for (uint32_t i = 0; i < kCount; ++i) {
    const double u = UniformAt(kStream, i);
    ASSERT_GT(u, 0);
    ASSERT_LT(u, 1);
    seen.insert(u);
    sum += u;
  }
  EXPECT_EQ(seen.size(), static_cast<size_t>(kCount));
  EXPECT_NEAR(sum / kCount, 0.5, 6 * std::sqrt(1.0 / 12 / kCount));
  EXPECT_LT(*seen.begin(), 0.001);
  EXPECT_GT(*seen.rbegin(), 0.999);
}

// A seed means the same numbers for ever.
TEST(RngTest, PurposesKeepTheirNumbers) {
  const RngPurpose purposes[] = {
      RngPurpose::kFamilyInit, RngPurpose::kProposalInit, RngPurpose::kLatent,
      RngPurpose::kNoise,      RngPurpose::kInner,        RngPurpose::kFlowLatent,
      RngPurpose::kFlowNoise,  RngPurpose::kDrawLatent,   RngPurpose::kDrawNoise,
      RngPurpose::kDrawInner,  RngPurpose::kLogDensity,   RngPurpose::kWarmStart,
      RngPurpose::kComponent};
  uint32_t expected = 1;
  for (const RngPurpose purpose : purposes) EXPECT_EQ(static_cast<uint32_t>(purpose), expected++);
}

}  // namespace
}  // namespace aisivi
