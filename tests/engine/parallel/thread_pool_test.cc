#include "engine/parallel/thread_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <numeric>
#include <thread>
#include <vector>

namespace aisivi {
namespace {

constexpr int kThreadCounts[] = {1, 2, 3, 8};

TEST(ThreadPoolTest, RunsEveryItemOnce) {
  for (const int threads : kThreadCounts) {
    ThreadPool pool(threads);
    ASSERT_EQ(pool.threads(), threads);
    for (const int64_t items : {1, 2, 7, 1000}) {
      std::vector<std::atomic<int>> runs(items);
      pool.ParallelFor(items, [&](int64_t item, int) { ++runs[item]; });
      for (int64_t i = 0; i < items; ++i) EXPECT_EQ(runs[i], 1) << i << " of " << items;
    }
  }
}

TEST(ThreadPoolTest, NoItemsNoCalls) {
  ThreadPool pool(2);
  std::atomic<int> calls{0};
  pool.ParallelFor(0, [&](int64_t, int) { ++calls; });
  EXPECT_EQ(calls, 0);
}

TEST(ThreadPoolTest, ZeroThreadsMeansOnePerCore) {
  ThreadPool pool(0);
  EXPECT_GE(pool.threads(), 1);
}

TEST(ThreadPoolTest, ItemsStartInOrder) {
  ThreadPool pool(1);
  std::vector<int64_t> order;
  pool.ParallelFor(100, [&](int64_t item, int) { order.push_back(item); });
  std::vector<int64_t> expected(100);
  std::iota(expected.begin(), expected.end(), 0);
  EXPECT_EQ(order, expected);
}

// A worker number names scratch space: two tasks must never hold the same one at once.
TEST(ThreadPoolTest, WorkerNumbersAreExclusive) {
  for (const int threads : kThreadCounts) {
    ThreadPool pool(threads);
    std::vector<std::atomic<int>> holders(threads);
    std::atomic<int> clashes{0}, outside{0};
    const auto loop = [&] {
      pool.ParallelFor(500, [&](int64_t, int worker) {
        if (worker < 0 || worker >= threads) {
          ++outside;
          return;
        }
        if (++holders[worker] != 1) ++clashes;
        std::this_thread::yield();
        --holders[worker];
      });
    };
    std::thread other(loop);
    loop();
    other.join();
    EXPECT_EQ(clashes, 0);
    EXPECT_EQ(outside, 0);
  }
}

TEST(ThreadPoolTest, ManyLoopsFromManyThreads) {
  for (const int threads : kThreadCounts) {
    ThreadPool pool(threads);
    std::atomic<int64_t> wrong{0};
    std::vector<std::thread> callers;
    for (int caller = 0; caller < 6; ++caller) {
      callers.emplace_back([&, caller] {
        for (int loop = 0; loop < 150; ++loop) {
          const int64_t items = (caller * 7 + loop) % 23;
          std::vector<int64_t> seen(items, 0);  // plain: done items must be visible here
          pool.ParallelFor(items, [&](int64_t item, int) { seen[item] += item + 1; });
          for (int64_t i = 0; i < items; ++i) wrong += seen[i] != i + 1;
        }
      });
    }
    for (std::thread& caller : callers) caller.join();
    EXPECT_EQ(wrong, 0);
  }
}

// On one worker the order of work is plain to see: while two loops have items left, they alternate.
TEST(ThreadPoolTest, TwoLoopsTakeTurns) {
  ThreadPool pool(1);
  std::vector<char> order;  // written by the one worker only
  std::atomic<bool> first_runs{false}, second_runs{false};
  std::thread second([&] {
    while (!first_runs) std::this_thread::yield();
    pool.ParallelFor(20, [&](int64_t, int) {
      second_runs = true;
      order.push_back('b');
    });
  });
  // Long enough for the second loop to arrive while it lasts, however slow its thread is to start.
  pool.ParallelFor(200000, [&](int64_t, int) {
    first_runs = true;
    if (!second_runs) std::this_thread::sleep_for(std::chrono::microseconds(100));
    order.push_back('a');
  });
  second.join();
  size_t first_b = 0;
  while (first_b < order.size() && order[first_b] != 'b') ++first_b;
  ASSERT_GT(first_b, 0u) << "the first loop had not begun";
  int seen = 0;
  for (size_t i = first_b; seen < 20; i += 2, ++seen) {
    ASSERT_LT(i, order.size());
    EXPECT_EQ(order[i], 'b') << "turn " << seen;
    if (seen < 19) {
      EXPECT_EQ(order[i + 1], 'a') << "turn " << seen;
    }
  }
}

TEST(ThreadPoolTest, EndsWithoutEverHavingWorked) {
  for (const int threads : kThreadCounts) ThreadPool pool(threads);
}

}  // namespace
}  // namespace aisivi
