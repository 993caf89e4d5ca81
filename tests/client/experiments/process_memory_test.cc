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
  const double with = PeakMemory(
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
  const double without = PeakMemory(
      getpid(), [] { return absl::OkStatus(); }, &status);
  EXPECT_GT(without, 1 << 20) << "this program itself";
  EXPECT_GE(with - without, 0.9 * static_cast<double>(kBytes)) << "the earlier peak is forgotten";
  EXPECT_LE(with - without, 1.5 * static_cast<double>(kBytes));
}

TEST(ProcessMemory, OfNoProcessTheWorkIsDoneAllTheSame) {
  absl::Status status;
  EXPECT_TRUE(std::isnan(PeakMemory(
      0, [] { return absl::DataLossError("disk"); }, &status)));
  EXPECT_TRUE(absl::IsDataLoss(status));
  // More than there can be: PID_MAX_LIMIT is 2^22.
  EXPECT_TRUE(std::isnan(PeakMemory(
      1 << 23, [] { return absl::OkStatus(); }, &status)));
  EXPECT_TRUE(status.ok());
}

}  // namespace
}  // namespace aisivi::experiments
