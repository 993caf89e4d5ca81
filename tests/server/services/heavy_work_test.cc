// HeavyWork by itself: its limits, and what becomes of stretches that are withdrawn.
#include "server/services/heavy_work.h"

#include <atomic>
#include <future>
#include <memory>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace aisivi::server {
namespace {

using ::testing::ElementsAre;
using Stretch = HeavyWork::Stretch;

// A stretch that says that it runs and waits until it may end.
class Blocker {
 public:
  std::shared_ptr<const Stretch> stretch() {
    return std::make_shared<const Stretch>(Stretch{[this] {
      begun_.set_value();
      release_.get_future().wait();
    }});
  }
  void AwaitBegin() { begun_.get_future().wait(); }
  void Release() { release_.set_value(); }

 private:
  std::promise<void> begun_, release_;
};

std::shared_ptr<const Stretch> Nothing() {
  return std::make_shared<const Stretch>(Stretch{[] {}});
}

TEST(HeavyWorkTest, RefusesMoreWaitersThanItsLimit) {
  Blocker blocker;  // outlives what it blocks
  HeavyWork work({.threads = 1, .waiting = 2, .open = 100});
  ASSERT_TRUE(work.Enter(blocker.stretch()).ok());
  blocker.AwaitBegin();
  const auto first = Nothing(), second = Nothing();
  ASSERT_TRUE(work.Enter(first).ok());
  ASSERT_TRUE(work.Enter(second).ok());
  EXPECT_TRUE(absl::IsResourceExhausted(work.Enter(Nothing())));
  EXPECT_TRUE(work.Withdraw(first.get())) << "who leaves makes room";
  EXPECT_FALSE(work.Withdraw(first.get()));
  EXPECT_TRUE(work.Enter(Nothing()).ok());
  EXPECT_TRUE(absl::IsResourceExhausted(work.Enter(Nothing())));
  blocker.Release();
}

TEST(HeavyWorkTest, ContinuationsAreNeverRefusedAndDoNotCountAsWaiters) {
  Blocker blocker;
  HeavyWork work({.threads = 1, .waiting = 1, .open = 100});
  ASSERT_TRUE(work.Enter(blocker.stretch()).ok());
  blocker.AwaitBegin();
  std::vector<int> order;
  const auto append = [&](int i) {
    return std::make_shared<const Stretch>(Stretch{[&order, i] { order.push_back(i); }});
  };
  std::promise<void> done;
  work.Continue(append(1));
  work.Continue(append(2));
  EXPECT_TRUE(work.Enter(append(3)).ok());
  work.Continue(std::make_shared<const Stretch>(Stretch{[&done] { done.set_value(); }}));
  blocker.Release();
  done.get_future().wait();
  EXPECT_THAT(order, ElementsAre(1, 2, 3));
}

TEST(HeavyWorkTest, OpenRpcsAreBoundedUntilTheyLeave) {
  HeavyWork work({.threads = 1, .waiting = 100, .open = 2});
  EXPECT_TRUE(work.Enter(Nothing()).ok());
  EXPECT_TRUE(work.Enter(Nothing()).ok());
  EXPECT_TRUE(absl::IsResourceExhausted(work.Enter(Nothing())));
  work.Leave();
  EXPECT_TRUE(work.Enter(Nothing()).ok());
}

TEST(HeavyWorkTest, ADestructorWaitsForWhatRuns) {
  std::atomic<int> ran{0};
  {
    HeavyWork work({.threads = 2, .waiting = 100, .open = 100});
    for (int i = 0; i < 50; ++i) {
      ASSERT_TRUE(work.Enter(std::make_shared<const Stretch>(Stretch{[&ran] { ++ran; }})).ok());
    }
  }
  EXPECT_EQ(ran, 50);
}

}  // namespace
}  // namespace aisivi::server
