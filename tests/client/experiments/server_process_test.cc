#include "client/experiments/server_process.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include "absl/strings/str_cat.h"
#include "tests/client/experiments/folder.h"

namespace aisivi::experiments {
namespace {

using testing::HasSubstr;

// A program that answers like aisivi-server: its --port_file is the last argument.
std::filesystem::path FakeServer(const Folder& folder, const std::string& body) {
  const std::filesystem::path program = folder / "fake-server";
  WriteFile(program, "#!/bin/sh\n" + body);
  std::filesystem::permissions(program, std::filesystem::perms::owner_all);
  return program;
}

constexpr char kListens[] =
    "for port_file; do :; done\n"
    "printf 'listen=127.0.0.1:1234\\nmetrics_listen=\\n' >\"$port_file.new\"\n"
    "mv \"$port_file.new\" \"$port_file\"\n";

size_t Entries(const std::filesystem::path& folder) {
  size_t count = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(folder)) ++count;
  return count;
}

TEST(ServerProcess, StartsAndEnds) {
  const Folder folder, parent;
  const std::filesystem::path program =
      FakeServer(folder, absl::StrCat(kListens, "exec sleep 600\n"));
  pid_t pid;
  {
    const auto server = ServerProcess::Start(program, parent.path());
    ASSERT_TRUE(server.ok()) << server.status();
    EXPECT_EQ((*server)->address(), "127.0.0.1:1234");
    pid = (*server)->pid();
    EXPECT_EQ(kill(pid, 0), 0);
    EXPECT_EQ(Entries(parent.path()), 1u);
  }
  EXPECT_NE(kill(pid, 0), 0);
  EXPECT_EQ(Entries(parent.path()), 0u);
}

TEST(ServerProcess, LeftoversAreRemoved) {
  const Folder folder, parent;
  std::filesystem::create_directories(parent / "server-AbCdEf/data");
  WriteFile(parent / "results.csv", "kept");
  const std::filesystem::path program =
      FakeServer(folder, absl::StrCat(kListens, "exec sleep 600\n"));
  const auto server = ServerProcess::Start(program, parent.path());
  ASSERT_TRUE(server.ok()) << server.status();
  EXPECT_FALSE(std::filesystem::exists(parent / "server-AbCdEf"));
  EXPECT_EQ(ReadFile(parent / "results.csv"), "kept");
}

TEST(ServerProcess, LastWordsOfOneThatDoesNotStart) {
  const Folder folder, parent;
  const absl::Status status =
      ServerProcess::Start(FakeServer(folder, "echo no luck >&2; exit 3\n"), parent.path())
          .status();
  EXPECT_TRUE(absl::IsInternal(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("did not start: no luck"));
  EXPECT_EQ(Entries(parent.path()), 0u);
}

TEST(ServerProcess, NoProgram) {
  const Folder parent;
  const absl::Status status = ServerProcess::Start(parent / "none", parent.path()).status();
  EXPECT_TRUE(absl::IsNotFound(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("--server: none is named"));
}

TEST(ServerProcess, NoFolder) {
  const Folder folder;
  const absl::Status status =
      ServerProcess::Start(FakeServer(folder, "exit 0\n"), folder / "none").status();
  EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
}

TEST(ServerProcess, ARequestToStopEndsTheWait) {
  const Folder folder, parent;
  std::stop_source source;
  source.request_stop();
  const absl::Status status = ServerProcess::Start(FakeServer(folder, "exec sleep 600\n"),
                                                   parent.path(), source.get_token())
                                  .status();
  EXPECT_TRUE(absl::IsCancelled(status)) << status;
  EXPECT_EQ(Entries(parent.path()), 0u);
}

TEST(ServerProcess, IsLookedForBesideTheProgram) {
  EXPECT_EQ(ServerBesideProgram().filename(), "aisivi-server");
  EXPECT_TRUE(ServerBesideProgram().is_absolute());
}

}  // namespace
}  // namespace aisivi::experiments
