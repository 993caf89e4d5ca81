#include "server/stan/program_cache.h"

#include <atomic>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/server/temporary_directory.h"

namespace aisivi::server {
namespace {

namespace fs = std::filesystem;

class ProgramCacheTest : public ::testing::Test {
 protected:
  ProgramCache::Compile Writes(const std::string& text) {
    return [this, text](const std::string& directory, const std::atomic<bool>*) {
      ++compiles_;
      std::ofstream(directory + "/model") << text;
      return absl::OkStatus();
    };
  }
  // Waits to be let go, or to be cancelled.
  ProgramCache::Compile Waits() {
    return [this](const std::string& directory, const std::atomic<bool>* cancel) {
      ++compiles_;
      const int running = ++running_;
      int most = most_running_;
      while (running > most && !most_running_.compare_exchange_weak(most, running)) {
      }
      while (!go_ && !(cancel != nullptr && cancel->load())) std::this_thread::yield();
      --running_;
      if (!go_) return absl::CancelledError("cancelled");
      std::ofstream(directory + "/model") << "waited";
      return absl::OkStatus();
    };
  }

  std::string Path() { return directory_.path() + "/stan"; }
  int Files() {
    int files = 0;
    for ([[maybe_unused]] const auto& entry : fs::directory_iterator(Path())) ++files;
    return files;
  }

  TemporaryDirectory directory_;
  std::atomic<int> compiles_ = 0, running_ = 0, most_running_ = 0;
  std::atomic<bool> go_ = false;
};

TEST_F(ProgramCacheTest, CompilesOnceAndKeepsWhatItMade) {
  {
    ProgramCache cache(Path(), 10, 1);
    const auto path = cache.Get("a", Writes("A"), nullptr);
    ASSERT_TRUE(path.ok()) << path.status();
    EXPECT_EQ(cache.Get("a", Writes("again"), nullptr).value_or(""), *path);
    EXPECT_NE(cache.Get("b", Writes("B"), nullptr).value_or(""), *path);
    EXPECT_EQ(compiles_, 2);
  }
  ProgramCache cache(Path(), 10, 1);
  const auto path = cache.Get("a", Writes("again"), nullptr);
  ASSERT_TRUE(path.ok()) << path.status();
  std::string text;
  std::ifstream(*path) >> text;
  EXPECT_EQ(text, "A");
  EXPECT_EQ(compiles_, 2);
  EXPECT_EQ(Files(), 2);  // and no working directories
}

TEST_F(ProgramCacheTest, ErrorsAreNotKept) {
  ProgramCache cache(Path(), 10, 1);
  const auto fails = [](const std::string&, const std::atomic<bool>*) {
    return absl::InvalidArgumentError("wrong");
  };
  EXPECT_EQ(cache.Get("a", fails, nullptr).status().message(), "wrong");
  EXPECT_EQ(Files(), 0);
  EXPECT_TRUE(cache.Get("a", Writes("A"), nullptr).ok());
  // One that says it made a program and did not.
  const auto lies = [](const std::string&, const std::atomic<bool>*) { return absl::OkStatus(); };
  EXPECT_TRUE(absl::IsInternal(cache.Get("c", lies, nullptr).status()));
}

TEST_F(ProgramCacheTest, ADirectoryThatCannotBeMadeIsAnError) {
  std::ofstream(directory_.path() + "/file") << "x";
  ProgramCache cache(directory_.path() + "/file/stan", 10, 1);
  EXPECT_FALSE(cache.Get("a", Writes("A"), nullptr).ok());
  EXPECT_EQ(compiles_, 0);
}

TEST_F(ProgramCacheTest, WhoAsksMeanwhileWaits) {
  ProgramCache cache(Path(), 10, 4);
  std::vector<absl::Status> statuses(4);
  std::vector<std::thread> threads;
  for (absl::Status& status : statuses) {
    threads.emplace_back([&] { status = cache.Get("a", Waits(), nullptr).status(); });
  }
  while (compiles_ == 0) std::this_thread::yield();
  // One that leaves while it waits.
  const std::atomic<bool> cancel = true;
  EXPECT_TRUE(absl::IsCancelled(cache.Get("a", Waits(), &cancel).status()));
  go_ = true;
  for (std::thread& thread : threads) thread.join();
  for (const absl::Status& status : statuses) EXPECT_TRUE(status.ok()) << status;
  EXPECT_EQ(compiles_, 1);
}

TEST_F(ProgramCacheTest, WhenTheCompilingOneLeavesAnotherCompiles) {
  ProgramCache cache(Path(), 10, 4);
  std::atomic<bool> cancel = false;
  std::thread first(
      [&] { EXPECT_TRUE(absl::IsCancelled(cache.Get("a", Waits(), &cancel).status())); });
  while (compiles_ == 0) std::this_thread::yield();
  std::thread second([&] {
    const auto path = cache.Get("a", Waits(), nullptr);
    EXPECT_TRUE(path.ok()) << path.status();
  });
  cancel = true;
  first.join();
  go_ = true;
  second.join();
}

TEST_F(ProgramCacheTest, NoMoreThanAllowedCompileAtOnce) {
  ProgramCache cache(Path(), 10, 2);
  std::vector<std::thread> threads;
  for (int i = 0; i < 6; ++i) {
    threads.emplace_back([&, i] {
      const auto path = cache.Get(absl::StrCat(i), Waits(), nullptr);
      EXPECT_TRUE(path.ok()) << path.status();
    });
  }
  while (running_ < 2) std::this_thread::yield();
  const std::atomic<bool> cancel = true;
  EXPECT_TRUE(absl::IsCancelled(cache.Get("x", Waits(), &cancel).status()));
  go_ = true;
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(most_running_, 2);
  EXPECT_EQ(compiles_, 6);
}

TEST_F(ProgramCacheTest, TheLeastRecentlyUsedAreRemoved) {
  ProgramCache cache(Path(), 2, 1);
  const std::string a = cache.Get("a", Writes("A"), nullptr).value_or("");
  const std::string b = cache.Get("b", Writes("B"), nullptr).value_or("");
  // As if they were used long ago, b first.
  fs::last_write_time(a, fs::file_time_type::clock::now() - std::chrono::hours(1));
  fs::last_write_time(b, fs::file_time_type::clock::now() - std::chrono::hours(2));
  const std::string c = cache.Get("c", Writes("C"), nullptr).value_or("");
  EXPECT_TRUE(fs::exists(a) && fs::exists(c));
  EXPECT_FALSE(fs::exists(b));
}

TEST_F(ProgramCacheTest, WhatAnotherCacheKeepsInAFolderStays) {
  ProgramCache programs(Path(), 1, 1), hosts(Path() + "/host", 1, 1);
  const std::string host = hosts.Get("h", Writes("H"), nullptr).value_or("");
  for (const char* name : {"a", "b"}) EXPECT_TRUE(programs.Get(name, Writes(name), nullptr).ok());
  EXPECT_EQ(Files(), 2);  // b, and the folder
  EXPECT_TRUE(fs::exists(host));
}

}  // namespace
}  // namespace aisivi::server
