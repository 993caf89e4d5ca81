// What processes may do, tried by processes that do it.
#include "server/stan/sandbox.h"

#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/stan/child_process.h"
#include "server/store/descriptor.h"
#include "tests/server/temporary_directory.h"

namespace aisivi::server {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr SandboxLimits kLimits = {10, int64_t{1} << 30, 1 << 20, 8};

CommandResult Ran(const std::vector<std::string>& argv,
                  absl::Duration at_most = absl::Seconds(60)) {
  const absl::StatusOr<CommandResult> result = RunCommand(argv, at_most, 10'000, nullptr);
  EXPECT_TRUE(result.ok()) << result.status();
  return result.ok() ? *result : CommandResult();
}

TEST(ChildProcessTest, OutputAndExitCode) {
  const CommandResult result = Ran({"sh", "-c", "echo out; echo err >&2; exit 3"});
  EXPECT_EQ(result.output, "out\nerr\n");
  EXPECT_EQ(result.end.exit_code, 3);
  EXPECT_EQ(result.end.signal, 0);
  EXPECT_EQ(Ran({"sh", "-c", "kill -9 $$"}).end.signal, SIGKILL);
  EXPECT_EQ(RunCommand({"/no/such/program"}, absl::Seconds(1), 10, nullptr).status().code(),
            absl::StatusCode::kInternal);
}

TEST(ChildProcessTest, OutputIsBounded) {
  const CommandResult result = Ran({"sh", "-c", "yes | head -c 10000000; exit 4"});
  EXPECT_EQ(result.output.size(), 10'000u);
  EXPECT_EQ(result.end.exit_code, 4);
}

TEST(ChildProcessTest, WhatTakesTooLongIsKilledWithItsChildren) {
  const TemporaryDirectory directory;
  const std::string pid_file = directory.path() + "/pid";
  const CommandResult result = Ran(
      {"sh", "-c", absl::StrCat("sleep 1000 & echo $! > ", pid_file, "; wait")}, absl::Seconds(1));
  EXPECT_TRUE(result.timed_out);
  pid_t pid = 0;
  std::ifstream(pid_file) >> pid;
  ASSERT_GT(pid, 0);
  // Its parent is gone, so that it may stay as a zombie of whoever takes it up.
  std::string state;
  for (int i = 0; i < 1000 && kill(pid, 0) == 0; ++i) {
    std::ifstream stat(absl::StrCat("/proc/", pid, "/stat"));
    std::string number, name;
    stat >> number >> name >> state;
    if (state == "Z") return;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  EXPECT_NE(kill(pid, 0), 0) << state;
}

TEST(ChildProcessTest, WhoLeavesEndsTheCommand) {
  std::atomic<bool> cancel = false;
  std::thread leaves([&] { cancel = true; });
  EXPECT_TRUE(
      absl::IsCancelled(RunCommand({"sleep", "1000"}, absl::Seconds(900), 10, &cancel).status()));
  leaves.join();
}

TEST(ChildProcessTest, OnlyTheDescriptorsThatAreGiven) {
  const Descriptor open_here(dup(1));
  const CommandResult result = Ran({"sh", "-c", "ls /proc/self/fd | wc -l"});
  // 0 to 2, and that of the listing itself.
  EXPECT_EQ(result.output, "4\n");
}

class SandboxTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const absl::Status status = CheckSandbox(SandboxKind::kBubblewrap);
    if (!status.ok()) GTEST_SKIP() << status;
  }

  CommandResult InSandbox(const std::string& command, SandboxPaths paths = {}) {
    return Ran(Sandboxed(SandboxKind::kBubblewrap, paths, kLimits, {"/usr/bin/sh", "-c", command}));
  }
};

TEST_F(SandboxTest, FilesOfTheMachineAreNotThere) {
  const TemporaryDirectory directory;
  std::ofstream(directory.path() + "/secret") << "secret";
  for (const std::string& path :
       {std::string("/etc/passwd"), std::string("/root"), std::string("/home"),
        std::string("/proc/1/cmdline"), directory.path() + "/secret"}) {
    const CommandResult result = InSandbox(absl::StrCat("ls -d ", path, " && cat ", path));
    EXPECT_NE(result.end.exit_code, 0) << path;
    EXPECT_THAT(result.output, HasSubstr("No such file")) << path;
  }
  EXPECT_NE(InSandbox("echo x > /usr/x").end.exit_code, 0);
  EXPECT_EQ(InSandbox("echo x > /tmp/x && cat /tmp/x").output, "x\n");
}

TEST_F(SandboxTest, OneDirectoryCanBeWrittenAndOthersRead) {
  const TemporaryDirectory work, other;
  std::ofstream(other.path() + "/file") << "text";
  SandboxPaths paths;
  paths.writable = work.path();
  paths.read_only = {other.path()};
  EXPECT_EQ(InSandbox(absl::StrCat("pwd; cat ", other.path(), "/file > copy"), paths).output,
            work.path() + "\n");
  std::string text;
  std::ifstream(work.path() + "/copy") >> text;
  EXPECT_EQ(text, "text");
  EXPECT_NE(InSandbox(absl::StrCat("echo x > ", other.path(), "/x"), paths).end.exit_code, 0);
}

TEST_F(SandboxTest, NoNetwork) {
  // Only the loopback interface, and that is down or empty.
  const CommandResult result =
      Ran(Sandboxed(SandboxKind::kBubblewrap, {}, kLimits,
                    {"/usr/bin/bash", "-c", "exec 3<>/dev/tcp/192.0.2.1/80"}));
  EXPECT_NE(result.end.exit_code, 0);
  EXPECT_THAT(result.output, HasSubstr("unreachable"));
}

TEST_F(SandboxTest, EnvironmentOfTheServerStaysOut) {
  ASSERT_EQ(setenv("AISIVI_TEST_SECRET", "secret", 1), 0);
  EXPECT_THAT(InSandbox("env").output, Not(HasSubstr("secret")));
  EXPECT_THAT(Ran(Sandboxed(SandboxKind::kNone, {}, kLimits, {"/usr/bin/env"})).output,
              Not(HasSubstr("secret")));
  unsetenv("AISIVI_TEST_SECRET");
}

TEST_F(SandboxTest, LimitsHold) {
  const TemporaryDirectory work;
  SandboxPaths paths;
  paths.writable = work.path();
  SandboxLimits limits = kLimits;
  limits.cpu_seconds = 1;
  for (const SandboxKind kind : {SandboxKind::kBubblewrap, SandboxKind::kNone}) {
    const auto run = [&](const std::string& command) {
      return Ran(Sandboxed(kind, paths, limits, {"/usr/bin/bash", "-c", command}));
    };
    const int cpu = run("while :; do :; done").end.signal;
    EXPECT_TRUE(cpu == SIGXCPU || cpu == SIGKILL) << cpu;
    EXPECT_NE(run("head -c 2000000 /dev/zero > big").end.exit_code +
                  run("yes | head -c 2000000 > big").end.signal,
              0);
    EXPECT_EQ(run("stat -c %s big | tail -n 1").output, "1048576\n");
    EXPECT_THAT(run("perl -e '$x = \"a\" x 3e9'").output, HasSubstr("Out of memory"));
  }
  // The kernel exempts root.
  if (geteuid() == 0) return;
  EXPECT_THAT(InSandbox("for i in 1 2 3 4 5 6 7 8 9 10; do sleep 1 & done; wait").output,
              HasSubstr("fork"));
}

TEST(SandboxCheckTest, SaysWhatIsMissing) {
  EXPECT_TRUE(CheckSandbox(SandboxKind::kNone).ok());
  const std::string path = getenv("PATH");
  setenv("PATH", "/nonexistent", 1);
  const absl::Status missing = CheckSandbox(SandboxKind::kBubblewrap);
  // One that cannot make its namespaces, as in a container without privileges.
  const TemporaryDirectory directory;
  const std::string bwrap = directory.path() + "/bwrap";
  std::ofstream(bwrap) << "#!/bin/sh\necho 'bwrap: No permissions to create new namespace' >&2\n"
                          "exit 1\n";
  ASSERT_EQ(chmod(bwrap.c_str(), 0755), 0);
  setenv("PATH", directory.path().c_str(), 1);
  const absl::Status refused = CheckSandbox(SandboxKind::kBubblewrap);
  setenv("PATH", path.c_str(), 1);
  EXPECT_TRUE(absl::IsFailedPrecondition(missing));
  EXPECT_THAT(std::string(missing.message()), HasSubstr("install-packages stan"));
  EXPECT_TRUE(absl::IsFailedPrecondition(refused));
  EXPECT_THAT(std::string(refused.message()), HasSubstr("No permissions to create new namespace"));
  EXPECT_THAT(std::string(refused.message()), HasSubstr("--stan_sandbox none"));
}

#ifdef AISIVI_STAN_PROBE

ChildEnd Probe(const std::string& what) {
  int ends[2];
  EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
  const Descriptor here(ends[0]), there(ends[1]);
  absl::StatusOr<ChildProcess> probe =
      ChildProcess::Start({AISIVI_STAN_PROBE, what}, {{3, there.get()}});
  EXPECT_TRUE(probe.ok()) << probe.status();
  if (!probe.ok()) return {};
  return probe->Wait(absl::Seconds(60)).value_or(ChildEnd{-1, -1});
}

TEST(IsolationTest, WhatComputingNeedsIsAllowed) {
  EXPECT_EQ(Probe("answer").exit_code, 0);
  EXPECT_EQ(Probe("answer").signal, 0);
  EXPECT_EQ(Probe("some_memory").exit_code, 0);
  EXPECT_EQ(Probe("memory").exit_code, 0);
  EXPECT_EQ(Probe("memory").signal, 0);
  EXPECT_EQ(Probe("abort").signal, SIGABRT);
}

TEST(IsolationTest, AllElseEndsTheProcess) {
  for (const char* what : {"open", "socket", "fork", "exec", "write", "kill", "priority", "code"}) {
    EXPECT_EQ(Probe(what).signal, SIGSYS) << what;
  }
  EXPECT_EQ(Probe("nothing").exit_code, 7);
}

#endif

}  // namespace
}  // namespace aisivi::server
