#include "server/jobs/expirer.h"

#include <condition_variable>
#include <mutex>
#include <string>
#include <vector>

#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace aisivi::server {
namespace {

using ::testing::ElementsAre;

class Expired {
 public:
  void Add(const std::string& id) {
    const std::lock_guard<std::mutex> lock(mutex_);
    ids_.push_back(id);
    changed_.notify_all();
  }
  std::vector<std::string> Await(size_t count) {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [&] { return ids_.size() >= count; });
    return ids_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> ids_;
};

TEST(ExpirerTest, WhatHasPassedExpiresAndTheRestWaits) {
  Expired expired;
  Expirer expirer([&](const std::string& id) { expired.Add(id); });
  expirer.Watch("later", absl::InfiniteFuture());
  expirer.Watch("tomorrow", absl::Now() + absl::Hours(24));
  expirer.Watch("past", absl::UnixEpoch());
  expirer.Watch("soon", absl::Now() + absl::Milliseconds(20));
  EXPECT_THAT(expired.Await(2), ElementsAre("past", "soon"));
}

TEST(ExpirerTest, TheLastTimeSetIsTheOneThatCounts) {
  Expired expired;
  Expirer expirer([&](const std::string& id) { expired.Add(id); });
  expirer.Watch("a", absl::Now() + absl::Milliseconds(10));
  expirer.Watch("a", absl::Now() + absl::Hours(1));
  expirer.Watch("b", absl::Now() + absl::Milliseconds(10));
  expirer.Forget("b");
  expirer.Forget("unknown");
  expirer.Watch("c", absl::Now() + absl::Hours(1));
  expirer.Watch("c", absl::Now() + absl::Milliseconds(20));
  EXPECT_THAT(expired.Await(1), ElementsAre("c"));
}

TEST(ExpirerTest, ACallMayWatchAgain) {
  Expired expired;
  Expirer* self = nullptr;
  int left = 3;
  Expirer expirer([&](const std::string& id) {
    expired.Add(id);
    if (--left > 0) self->Watch(id, absl::UnixEpoch());
  });
  self = &expirer;
  expirer.Watch("a", absl::Now() + absl::Milliseconds(1));
  EXPECT_THAT(expired.Await(3), ElementsAre("a", "a", "a"));
}

}  // namespace
}  // namespace aisivi::server
