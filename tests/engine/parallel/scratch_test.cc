#include "engine/parallel/scratch.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <vector>

#include "engine/parallel/workspace.h"

namespace aisivi {
namespace {

TEST(ScratchTest, ArraysAreAlignedAndApart) {
  Scratch scratch;
  std::vector<std::pair<float*, int64_t>> taken;
  for (const int64_t n : {1, 3, 16, 17, 1000, 300000, 5, 700000}) {
    float* p = scratch.Take<float>(n);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(p) % 64, 0u);
    std::fill_n(p, n, static_cast<float>(taken.size()));
    taken.emplace_back(p, n);
  }
  for (size_t i = 0; i < taken.size(); ++i) {
    const auto [p, n] = taken[i];
    EXPECT_TRUE(std::all_of(p, p + n, [&](float v) { return v == static_cast<float>(i); })) << i;
  }
}

TEST(ScratchTest, AFrameGivesBackWhatWasTakenInIt) {
  Scratch scratch;
  double* outer = scratch.Take<double>(10);
  std::fill_n(outer, 10, 1.5);
  std::vector<void*> first;
  for (int round = 0; round < 3; ++round) {
    Scratch::Frame frame(scratch);
    std::vector<void*> now;
    for (const int64_t n : {40, 1 << 18, 7, 1 << 19, 1}) {
      now.push_back(scratch.Take<double>(n));
      std::fill_n(static_cast<double*>(now.back()), n, -1.0);
      Scratch::Frame inner(scratch);
      now.push_back(scratch.Take<int64_t>(100));
    }
    if (round == 0) first = now;
    EXPECT_EQ(now, first) << "the same requests get the same memory";
  }
  EXPECT_TRUE(std::all_of(outer, outer + 10, [](double v) { return v == 1.5; }));
}

TEST(ScratchTest, EmptyRequestsDoNoHarm) {
  Scratch scratch;
  scratch.Take<float>(0);
  float* p = scratch.Take<float>(4);
  scratch.Take<float>(0);
  float* q = scratch.Take<float>(4);
  EXPECT_NE(p, q);
}

TEST(WorkspaceTest, EachWorkerHasItsOwn) {
  ThreadPool pool(3);
  Workspace workspace(pool);
  EXPECT_NE(&workspace.worker(0), &workspace.worker(1));
  EXPECT_NE(&workspace.worker(1), &workspace.worker(2));
  std::vector<int64_t> wrong(64, 0);
  pool.ParallelFor(64, [&](int64_t item, int worker) {
    Scratch::Frame frame(workspace.worker(worker));
    int64_t* p = workspace.worker(worker).Take<int64_t>(1000);
    std::fill_n(p, 1000, item);
    wrong[item] = 1000 - std::count(p, p + 1000, item);
  });
  EXPECT_EQ(std::count(wrong.begin(), wrong.end(), 0), 64);
}

}  // namespace
}  // namespace aisivi
