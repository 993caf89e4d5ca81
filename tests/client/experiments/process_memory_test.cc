#include "client/experiments/process_memory.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmath>
#include <cstring>

namespace aisivi::experiments {
namespace {

constexpr size_t kBytes = size_t{64} << 20;

TEST(ProcessMemory, SeesWhatWorkNeedsForAMoment) {
  absl::Status status;
  const double with = MemoryOf(
      getpid(),
      [] {
        void* const block =
            mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (block == MAP_FAILED) return absl::ResourceExhaustedError("mmap");
        std::memset(block, 1, kBytes);
        munmap(block, kBytes);
        return absl::OkStatus();
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
