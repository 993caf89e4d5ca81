#include "client/experiments/program.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <thread>

#include "absl/strings/str_cat.h"

extern char** environ;

namespace aisivi::experiments {
namespace {

constexpr std::chrono::milliseconds kPause(20);

absl::StatusOr<pid_t> Spawn(std::vector<std::string> words, const std::string& log) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, log.c_str(),
                                   O_WRONLY | O_CREAT | O_TRUNC, 0600);
  posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO);
  // Ctrl-C in the terminal is this program's alone to act on.
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  pid_t pid;
  const int error =
      posix_spawnp(&pid, arguments[0], &actions, &attributes, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  if (error == ENOENT) return absl::NotFoundError(absl::StrCat(words[0], " is not installed"));
  if (error != 0) {
    return absl::InternalError(absl::StrCat(words[0], ": ", std::strerror(error)));
  }
  return pid;
}

}  // namespace

absl::StatusOr<int> RunProgram(const std::vector<std::string>& words,
                               const std::filesystem::path& log, const std::stop_token& stop) {
  const absl::StatusOr<pid_t> pid = Spawn(words, log.string());
  if (!pid.ok()) return pid.status();
  int status = 0;
  for (;;) {
    const pid_t ended = waitpid(*pid, &status, WNOHANG);
    if (ended == *pid) break;
    if (ended < 0 && errno != EINTR) return absl::InternalError(absl::StrCat(words[0], ": lost"));
    if (stop.stop_requested()) {
      kill(-*pid, SIGKILL);
      waitpid(*pid, &status, 0);
      return absl::CancelledError("stopped");
    }
    std::this_thread::sleep_for(kPause);
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace aisivi::experiments
