#include "server/config/flags.h"

#include <fstream>
#include <string>
#include <vector>

#include "engine/parallel/instruction_set.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/server/temporary_directory.h"

namespace aisivi::server {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

absl::StatusOr<ParsedFlags> Parse(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "aisivi-server");
  return ParseFlags(static_cast<int>(arguments.size()), arguments.data());
}

TEST(FlagsTest, DefaultsListenOnLoopbackOnly) {
  const auto flags = Parse({});
  ASSERT_TRUE(flags.ok()) << flags.status();
  EXPECT_EQ(flags->options.listen, "127.0.0.1:50051");
  EXPECT_EQ(flags->options.metrics_listen, "127.0.0.1:9464");
  EXPECT_EQ(flags->options.data_dir, DefaultDataDir());
  EXPECT_TRUE(flags->print_and_exit.empty());
}

TEST(FlagsTest, TakesAllFlags) {
  const auto flags =
      Parse({"--listen", "127.0.0.1:0", "--metrics_listen=none", "--data_dir", "d", "--port_file=p",
             "--threads", "3", "--max_running=4", "--max_queued", "5", "--max_request_mb=6",
             "--max_dataset_mb=7", "--dataset_quota_bytes=8", "--stan_home=/h",
             "--stan_sandbox=none", "--stan_memory_mb=512"});
  ASSERT_TRUE(flags.ok()) << flags.status();
  EXPECT_EQ(flags->options.listen, "127.0.0.1:0");
  EXPECT_EQ(flags->options.metrics_listen, "");
  EXPECT_EQ(flags->options.data_dir, "d");
  EXPECT_EQ(flags->options.port_file, "p");
  EXPECT_EQ(flags->options.threads, 3);
  EXPECT_EQ(flags->options.max_running, 4);
  EXPECT_EQ(flags->options.max_queued, 5);
  EXPECT_EQ(flags->options.max_request_mb, 6);
  EXPECT_EQ(flags->options.max_dataset_mb, 7);
  EXPECT_EQ(flags->options.dataset_quota_bytes, 8);
  EXPECT_EQ(flags->options.stan_home, "/h");
  EXPECT_EQ(flags->options.stan_sandbox, "none");
  EXPECT_EQ(flags->options.stan_memory_mb, 512);
}

TEST(FlagsTest, NoMetricsAreWrittenInTwoWays) {
  const TemporaryDirectory directory;
  const std::string path = directory.path() + "/config";
  std::ofstream(path) << "metrics_listen = \"\"\n";
  for (const std::vector<const char*>& arguments :
       std::vector<std::vector<const char*>>{{"--metrics_listen="},
                                             {"--metrics_listen", ""},
                                             {"--metrics_listen=none"},
                                             {"--config", path.c_str()}}) {
    const auto flags = Parse(arguments);
    ASSERT_TRUE(flags.ok()) << flags.status();
    EXPECT_EQ(flags->options.metrics_listen, "") << arguments[0];
  }
}

TEST(FlagsTest, ConfigFileHasTheSameNamesAndFlagsWin) {
  const TemporaryDirectory directory;
  const std::string path = directory.path() + "/config";
  std::ofstream(path) << "listen = \"127.0.0.1:7\"\nmax_running = 9\nthreads = 8\n";
  const auto flags = Parse({"--config", path.c_str(), "--threads", "2"});
  ASSERT_TRUE(flags.ok()) << flags.status();
  EXPECT_EQ(flags->options.listen, "127.0.0.1:7");
  EXPECT_EQ(flags->options.max_running, 9);
  EXPECT_EQ(flags->options.threads, 2);
  std::ofstream(path) << "max_runing = 9\n";
  EXPECT_THAT(std::string(Parse({"--config", path.c_str()}).status().message()),
              HasSubstr("max_runing"));
}

TEST(FlagsTest, BadFlagsAreNamedOnOneLine) {
  const struct {
    const char* argument;
    const char* name;
  } cases[] = {{"--max_running=0", "--max_running"},
               {"--max_queued=-1", "--max_queued"},
               {"--threads=two", "--threads"},
               {"--max_dataset_mb=0", "--max_dataset_mb"},
               {"--dataset_quota_bytes=-1", "--dataset_quota_bytes"},
               {"--nonsense=1", "--nonsense"},
               {"--listen=", "--listen"},
               {"--config=/nowhere/at/all", "/nowhere"}};
  for (const auto& c : cases) {
    const absl::Status status = Parse({c.argument}).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << c.argument;
    EXPECT_THAT(std::string(status.message()), AllOf(HasSubstr(c.name), Not(HasSubstr("\n"))));
  }
}

TEST(FlagsTest, HelpAndVersionPrint) {
  EXPECT_THAT(Parse({"--help"})->print_and_exit, HasSubstr("--metrics_listen"));
  EXPECT_EQ(Parse({"--version"})->print_and_exit,
            "aisivi-server " + Version() + ", engine for " + EngineInstructionSet() + "\n");
}

}  // namespace
}  // namespace aisivi::server
