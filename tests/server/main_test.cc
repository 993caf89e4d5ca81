// The program aisivi-server itself: signals, exit codes, and what survives its death.
#include <fcntl.h>
#include <grpcpp/create_channel.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "aisivi/v1/fit_service.grpc.pb.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/server/temporary_directory.h"

extern char** environ;

namespace aisivi::server {
namespace {

using ::testing::HasSubstr;

class MainTest : public ::testing::Test {
 protected:
  ~MainTest() override {
    if (pid_ > 0) End(SIGKILL);
  }

  // Starts the program with stderr going to a file.
  void Spawn(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), AISIVI_SERVER_BINARY);
    std::vector<char*> argv;
    for (std::string& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 2, (directory_.path() + "/stderr").c_str(),
                                     O_WRONLY | O_CREAT | O_TRUNC, 0600);
    ASSERT_EQ(posix_spawn(&pid_, argv[0], &actions, nullptr, argv.data(), environ), 0);
    posix_spawn_file_actions_destroy(&actions);
  }

  // Starts a server on the test's data directory and connects to it.
  void Serve() {
    const std::string ports = directory_.path() + "/ports";
    std::filesystem::remove(ports);
    Spawn({"--listen=127.0.0.1:0", "--metrics_listen=127.0.0.1:0",
           "--data_dir=" + directory_.path() + "/data", "--port_file=" + ports});
    while (!std::filesystem::exists(ports)) {
      ASSERT_EQ(waitpid(pid_, nullptr, WNOHANG), 0) << Errors();
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    std::ifstream file(ports);
    std::string line;
    std::getline(file, line);
    ASSERT_EQ(line.rfind("listen=", 0), 0u) << line;
    fits_ = v1::FitService::NewStub(
        grpc::CreateChannel(line.substr(7), grpc::InsecureChannelCredentials()));
  }

  // Sends a signal and returns the exit code (or minus the signal that ended the program).
  int End(int signal) {
    if (signal != 0) kill(pid_, signal);
    int status = 0;
    waitpid(pid_, &status, 0);
    pid_ = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }

  std::string Errors() const {
    std::ifstream file(directory_.path() + "/stderr");
    return std::string(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  }

  std::string CreateEndless() {
    v1::CreateFitRequest request;
    request.mutable_fit()->mutable_target()->mutable_banana();
    request.mutable_fit()->mutable_schedule()->set_iterations(10'000'000);
    grpc::ClientContext context;
    v1::Fit fit;
    const grpc::Status status = fits_->CreateFit(&context, request, &fit);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return fit.name();
  }

  v1::Fit::State StateOf(const std::string& name) {
    v1::GetFitRequest request;
    request.set_name(name);
    grpc::ClientContext context;
    v1::Fit fit;
    EXPECT_TRUE(fits_->GetFit(&context, request, &fit).ok());
    return fit.state();
  }

  void AwaitRunning(const std::string& name) {
    while (StateOf(name) == v1::Fit::STATE_QUEUED) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    EXPECT_EQ(StateOf(name), v1::Fit::STATE_RUNNING);
  }

  TemporaryDirectory directory_;
  pid_t pid_ = 0;
  std::unique_ptr<v1::FitService::Stub> fits_;
};

TEST_F(MainTest, FitsGoOnAfterASigtermWhichExitsWithSuccess) {
  Serve();
  const std::string name = CreateEndless();
  AwaitRunning(name);
  EXPECT_EQ(End(SIGTERM), 0) << Errors();
  Serve();
  AwaitRunning(name);
  EXPECT_EQ(End(SIGINT), 0) << Errors();
}

TEST_F(MainTest, AcknowledgedFitsSurviveAKill) {
  Serve();
  const std::string name = CreateEndless();
  AwaitRunning(name);
  EXPECT_EQ(End(SIGKILL), -SIGKILL);
  Serve();
  AwaitRunning(name);
  EXPECT_EQ(End(SIGTERM), 0) << Errors();
}

TEST_F(MainTest, BadFlagsExitWithTwoAndOneLine) {
  Spawn({"--max_running=none"});
  EXPECT_EQ(End(0), 2);
  EXPECT_THAT(Errors(), HasSubstr("--max_running"));
  const std::string errors = Errors();
  EXPECT_EQ(std::count(errors.begin(), errors.end(), '\n'), 1) << errors;
}

TEST_F(MainTest, ATakenPortExitsWithTwoAndOneLine) {
  Serve();
  const pid_t first = pid_;
  std::ifstream file(directory_.path() + "/ports");
  std::string line;
  std::getline(file, line);
  Spawn({"--listen=" + line.substr(7), "--metrics_listen=none",
         "--data_dir=" + directory_.path() + "/b"});
  EXPECT_EQ(End(0), 2);
  const std::string errors = Errors();
  EXPECT_THAT(errors, HasSubstr("--listen"));
  EXPECT_EQ(std::count(errors.begin(), errors.end(), '\n'), 1) << errors;
  pid_ = first;
  EXPECT_EQ(End(SIGTERM), 0);
}

}  // namespace
}  // namespace aisivi::server
