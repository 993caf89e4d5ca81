#include "engine/fit/deadline.h"

#include <gtest/gtest.h>

#include <thread>

namespace aisivi {
namespace {

void WaitFor(const std::atomic<bool>& flag) {
  while (!flag) std::this_thread::yield();
}

TEST(DeadlineTest, WithoutALimitItIsTheCallersFlag) {
  std::atomic<bool> cancel{false};
  const Deadline deadline(&cancel, 0);
  EXPECT_EQ(deadline.flag(), &cancel);
  EXPECT_FALSE(deadline.Passed(1e-9));
  EXPECT_FALSE(deadline.Cancelled());
  cancel = true;
  EXPECT_TRUE(deadline.Cancelled());
  EXPECT_EQ(Deadline(nullptr, 0).flag(), nullptr);
  EXPECT_FALSE(Deadline(nullptr, 0).Cancelled());
}

TEST(DeadlineTest, TheFlagRisesAtItsShareAndFallsWhenANewOneLiesAhead) {
  Deadline deadline(nullptr, 0.2);
  deadline.Set(0.1);
  WaitFor(*deadline.flag());
  EXPECT_TRUE(deadline.Passed(0.1));
  EXPECT_FALSE(deadline.Cancelled());
  deadline.Set(1e6);
  EXPECT_FALSE(*deadline.flag());
  deadline.Set(1);
  WaitFor(*deadline.flag());
  EXPECT_GE(deadline.Seconds(), 0.2);
}

TEST(DeadlineTest, CancellationRaisesTheFlagForGood) {
  std::atomic<bool> cancel{false};
  Deadline deadline(&cancel, 1e6);
  EXPECT_FALSE(*deadline.flag());
  cancel = true;
  WaitFor(*deadline.flag());
  deadline.Set(1);
  WaitFor(*deadline.flag());
  EXPECT_TRUE(deadline.Cancelled());
}

}  // namespace
}  // namespace aisivi
