#include "server/services/idle_watch.h"

#include <atomic>
#include <latch>

#include "absl/time/time.h"
#include "gtest/gtest.h"

namespace aisivi::server {
namespace {

TEST(IdleWatchTest, CallsForThoseThatWaitTooLong) {
  IdleWatch watch(absl::Milliseconds(1));
  std::latch first(1), second(1);
  const int a = 0, b = 0;
  watch.Watch(&a, [&] { first.count_down(); });
  watch.Watch(&b, [&] { second.count_down(); });
  first.wait();
  second.wait();
}

TEST(IdleWatchTest, WhatIsForgottenOrWatchedAnewIsNotCalled) {
  std::atomic<int> calls = 0;
  {
    IdleWatch watch(absl::Hours(1));
    const int a = 0;
    watch.Watch(&a, [&] { ++calls; });
    watch.Forget(&a);
    watch.Watch(&a, [&] { ++calls; });
    watch.Watch(&a, [&] { ++calls; });
    watch.Forget(&a);
    watch.Forget(&a);
  }
  EXPECT_EQ(calls, 0);
}

TEST(IdleWatchTest, ForgettingWaitsForACallThatIsBeingMade) {
  IdleWatch watch(absl::ZeroDuration());
  std::latch called(1), go_on(1);
  std::atomic<bool> done = false;
  const int a = 0;
  watch.Watch(&a, [&] {
    called.count_down();
    go_on.wait();
    done = true;
  });
  called.wait();
  go_on.count_down();
  watch.Forget(&a);
  EXPECT_TRUE(done);
}

TEST(IdleWatchTest, ACallMayForgetItself) {
  IdleWatch watch(absl::ZeroDuration());
  std::latch done(1);
  const int a = 0;
  watch.Watch(&a, [&] {
    watch.Forget(&a);
    done.count_down();
  });
  done.wait();
}

}  // namespace
}  // namespace aisivi::server
