#include "client/experiments/server_process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <system_error>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace aisivi::experiments {
namespace {

using std::chrono::milliseconds;

constexpr char kPrefix[] = "server-";
constexpr milliseconds kPause(20);
constexpr int kPausesToStart = 3000, kPausesToEnd = 1500;  // a minute, half a minute

std::string ReadAll(const std::filesystem::path& file) {
  std::ifstream stream(file);
  return std::string((std::istreambuf_iterator<char>(stream)), std::istreambuf_iterator<char>());
}

void RemoveLeftovers(const std::filesystem::path& parent) {
  std::error_code ignored;
  std::vector<std::filesystem::path> old;
  for (const auto& entry : std::filesystem::directory_iterator(parent, ignored)) {
    if (absl::StartsWith(entry.path().filename().string(), kPrefix)) old.push_back(entry.path());
  }
  for (const std::filesystem::path& path : old) std::filesystem::remove_all(path, ignored);
}

// In the child, between fork and exec, where little is allowed. The server dies with its parent,
// however that ends; and Ctrl-C in the terminal is the parent's alone to act on.
[[noreturn]] void BecomeServer(const char* log, char* const* arguments, pid_t parent) {
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (getppid() != parent) _exit(1);
  setpgid(0, 0);
  const int null = open("/dev/null", O_RDONLY);
  const int out = open(log, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  if (null >= 0) dup2(null, STDIN_FILENO);
  if (out >= 0) dup2(out, STDOUT_FILENO), dup2(out, STDERR_FILENO);
  execv(arguments[0], arguments);
  _exit(127);
}

}  // namespace

std::filesystem::path ServerBesideProgram() {
  std::error_code ignored;
  const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", ignored);
  return self.parent_path() / "aisivi-server";
}

absl::StatusOr<std::unique_ptr<ServerProcess>> ServerProcess::Start(
    const std::filesystem::path& binary, const std::filesystem::path& parent,
    const std::stop_token& stop) {
  if (access(binary.c_str(), X_OK) != 0) {
    return absl::NotFoundError(absl::StrCat("--server: none is named, and there is no program ",
                                            binary.string(), " to start one"));
  }
  RemoveLeftovers(parent);
  std::string folder = (parent / absl::StrCat(kPrefix, "XXXXXX")).string();
  if (mkdtemp(folder.data()) == nullptr) {
    return absl::InvalidArgumentError(
        absl::StrCat("--out: ", parent.string(), ": ", std::strerror(errno)));
  }
  std::unique_ptr<ServerProcess> server(new ServerProcess);
  server->folder_ = folder;
  absl::Status status = server->Spawn(binary);
  if (status.ok()) status = server->WaitForAddress(stop);
  if (!status.ok()) return status;
  return server;
}

absl::Status ServerProcess::Spawn(const std::filesystem::path& binary) {
  std::vector<std::string> words = {binary.string(), "--listen",       "127.0.0.1:0",
                                    "--data_dir",    folder_ / "data", "--metrics_listen",
                                    "none",          "--port_file",    folder_ / "ports"};
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  const std::string log = folder_ / "log";
  const pid_t parent = getpid();
  pid_ = fork();
  if (pid_ == 0) BecomeServer(log.c_str(), arguments.data(), parent);
  if (pid_ < 0) return absl::InternalError(absl::StrCat("fork: ", std::strerror(errno)));
  return absl::OkStatus();
}

bool ServerProcess::HasEnded() {
  if (pid_ > 0 && waitpid(pid_, nullptr, WNOHANG) == pid_) pid_ = -1;
  return pid_ < 0;
}

absl::Status ServerProcess::WaitForAddress(const std::stop_token& stop) {
  for (int i = 0; i < kPausesToStart; ++i) {
    const bool ended = HasEnded();
    for (absl::string_view line : absl::StrSplit(ReadAll(folder_ / "ports"), '\n')) {
      if (absl::ConsumePrefix(&line, "listen=")) address_ = std::string(line);
    }
    if (!address_.empty() && !ended) return absl::OkStatus();
    if (ended) {
      return absl::InternalError(
          absl::StrCat("aisivi-server did not start: ", ReadAll(folder_ / "log")));
    }
    if (stop.stop_requested()) return absl::CancelledError("stopped");
    std::this_thread::sleep_for(kPause);
  }
  return absl::DeadlineExceededError("aisivi-server does not listen");
}

ServerProcess::~ServerProcess() {
  if (pid_ > 0) kill(pid_, SIGTERM);
  for (int i = 0; i < kPausesToEnd && !HasEnded(); ++i) std::this_thread::sleep_for(kPause);
  if (pid_ > 0) {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

}  // namespace aisivi::experiments
