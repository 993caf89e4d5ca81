#include "client/experiments/program.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <thread>

#include "tests/client/experiments/folder.h"

namespace aisivi::experiments {
namespace {

using testing::HasSubstr;

TEST(Program, OutputAndExitCode) {
  const Folder folder;
  const auto code =
      RunProgram({"sh", "-c", "echo said; echo wrong >&2; exit 3"}, folder / "log", {});
  ASSERT_TRUE(code.ok()) << code.status();
  EXPECT_EQ(*code, 3);
  EXPECT_EQ(ReadFile(folder / "log"), "said\nwrong\n");
  EXPECT_EQ(*RunProgram({"sh", "-c", "kill -TERM $$"}, folder / "log", {}), 128 + SIGTERM);
}

TEST(Program, WordsAreNotSplit) {
  const Folder folder;
  ASSERT_TRUE(RunProgram({"printf", "%s|", "a b", "$HOME"}, folder / "log", {}).ok());
  EXPECT_EQ(ReadFile(folder / "log"), "a b|$HOME|");
}

TEST(Program, NoneOfThatName) {
  const Folder folder;
  const absl::Status status = RunProgram({"no-such-program-here"}, folder / "log", {}).status();
  EXPECT_TRUE(absl::IsNotFound(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("no-such-program-here"));
}

TEST(Program, AStopKillsItAndWhatItStarted) {
  const Folder folder;
  std::stop_source stop;
  std::jthread stopper([&] {
    while (ReadFile(folder / "pid").empty()) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    stop.request_stop();
  });
  const std::string script = "sleep 600 & echo $! >'" + (folder / "new").string() + "'; mv '" +
                             (folder / "new").string() + "' '" + (folder / "pid").string() +
                             "'; wait";
  const auto code = RunProgram({"sh", "-c", script}, folder / "log", stop.get_token());
  EXPECT_TRUE(absl::IsCancelled(code.status())) << code.status();
  const pid_t child = std::stoi(ReadFile(folder / "pid"));
  // An orphan is gone once init has taken notice of it.
  for (int i = 0; i < 6000 && kill(child, 0) == 0; ++i) {
    const std::string status = ReadFile("/proc/" + std::to_string(child) + "/stat");
    if (status.find(") Z") != std::string::npos) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  EXPECT_NE(kill(child, 0), 0);
}

}  // namespace
}  // namespace aisivi::experiments
