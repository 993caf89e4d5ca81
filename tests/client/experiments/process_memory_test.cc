#include "client/experiments/process_memory.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <cstring>
#include <memory>

namespace aisivi::experiments {
namespace {

constexpr size_t kBytes = size_t{64} << 20;

TEST(ProcessMemory, SeesWhatWorkNeedsForAMoment) {
  absl::Status status;
  // Large enough for a mapping of its own, which is given back.
  const double with = MemoryOf(
      getpid(),
      [] {
        const auto block = std::make_unique<char[]>(kBytes);
        std::memset(block.get(), 1, kBytes);
        return block[kBytes / 2] == 1 ? absl::OkStatus() : absl::InternalError("");
      },
      &status);
  EXPECT_TRUE(status.ok());
  if (std::isnan(with)) GTEST_SKIP() << "/proc does not tell here";
  EXPECT_GE(with, 0.9 * static_cast<double>(kBytes));
  EXPECT_LE(with, 1.5 * static_cast<double>(kBytes));
  const double without = MemoryOf(
      getpid(), [] { return absl::OkStatus(); }, &status);
  EXPECT_LE(without, 0.1 * static_cast<double>(kBytes)) << "the earlier peak is forgotten";
}

TEST(ProcessMemory, OfNoProcessTheWorkIsDoneAllTheSame) {
  absl::Status status;
  EXPECT_TRUE(std::isnan(MemoryOf(
      0, [] { return absl::DataLossError("disk"); }, &status)));
  EXPECT_TRUE(absl::IsDataLoss(status));
  // More than there can be: PID_MAX_LIMIT is 2^22.
  EXPECT_TRUE(std::isnan(MemoryOf(
      1 << 23, [] { return absl::OkStatus(); }, &status)));
  EXPECT_TRUE(status.ok());
}

}  // namespace
}  // namespace aisivi::experiments
