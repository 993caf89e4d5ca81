#include "server/stan/child_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "server/store/descriptor.h"

extern char** environ;

namespace aisivi::server {
namespace {

constexpr absl::Duration kPoll = absl::Milliseconds(20);
// bubblewrap and shells end by this plus the signal that ended what they ran.
constexpr int kSignalled = 128;

struct SpawnSettings {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  SpawnSettings() {
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
  }
  ~SpawnSettings() {
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
  }
};

// A group of its own, no signal blocked, and those that the server ignores as they are by default.
void SetSignals(SpawnSettings* settings) {
  sigset_t none, defaults;
  sigemptyset(&none);
  sigemptyset(&defaults);
  for (const int signal : {SIGPIPE, SIGINT, SIGTERM, SIGALRM, SIGCHLD}) {
    sigaddset(&defaults, signal);
  }
  posix_spawnattr_setsigmask(&settings->attributes, &none);
  posix_spawnattr_setsigdefault(&settings->attributes, &defaults);
  posix_spawnattr_setpgroup(&settings->attributes, 0);
  posix_spawnattr_setflags(&settings->attributes,
                           POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
}

ChildEnd ToEnd(int status) {
  if (WIFSIGNALED(status)) return {0, WTERMSIG(status)};
  const int code = WEXITSTATUS(status);
  return code > kSignalled && code <= kSignalled + SIGRTMAX ? ChildEnd{0, code - kSignalled}
                                                            : ChildEnd{code, 0};
}

}  // namespace

absl::StatusOr<ChildProcess> ChildProcess::Start(const std::vector<std::string>& argv,
                                                 const std::vector<std::pair<int, int>>& fds) {
  SpawnSettings settings;
  SetSignals(&settings);
  int last = 2;
  for (const auto& [child, here] : fds) last = std::max(last, child);
  // By way of numbers beyond all of the child's, so that none is overwritten before it is copied.
  std::vector<Descriptor> copies;
  for (const auto& [child, here] : fds) {
    copies.emplace_back(fcntl(here, F_DUPFD_CLOEXEC, last + 1));
    if (copies.back().get() < 0) {
      return absl::InternalError(
          absl::StrCat("cannot start ", argv[0], ": ", std::strerror(errno)));
    }
  }
  for (int fd = 0; fd <= 2; ++fd) {
    posix_spawn_file_actions_addopen(&settings.actions, fd, "/dev/null", O_RDWR, 0);
  }
  for (size_t i = 0; i < fds.size(); ++i) {
    posix_spawn_file_actions_adddup2(&settings.actions, copies[i].get(), fds[i].first);
  }
  posix_spawn_file_actions_addclosefrom_np(&settings.actions, last + 1);
  std::vector<char*> arguments;
  for (const std::string& argument : argv) arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  pid_t pid = -1;
  const int error = posix_spawnp(&pid, arguments[0], &settings.actions, &settings.attributes,
                                 arguments.data(), environ);
  if (error != 0) {
    return absl::InternalError(absl::StrCat("cannot start ", argv[0], ": ", std::strerror(error)));
  }
  return ChildProcess(pid);
}

ChildProcess::~ChildProcess() { Kill(); }

std::optional<ChildEnd> ChildProcess::Wait(absl::Duration at_most) {
  if (pid_ < 0) return ChildEnd{};
  const absl::Time deadline = absl::Now() + at_most;
  while (true) {
    int status = 0;
    const pid_t ended = waitpid(pid_, &status, WNOHANG);
    if (ended == pid_) {
      // What it left behind in its group.
      kill(-pid_, SIGKILL);
      pid_ = -1;
      return ToEnd(status);
    }
    if (absl::Now() >= deadline) return std::nullopt;
    absl::SleepFor(std::min(kPoll, at_most / 8 + absl::Milliseconds(1)));
  }
}

ChildEnd ChildProcess::Kill() {
  if (pid_ < 0) return {};
  kill(-pid_, SIGKILL);
  kill(pid_, SIGKILL);
  int status = 0;
  while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
  return ToEnd(status);
}

absl::StatusOr<CommandResult> RunCommand(const std::vector<std::string>& argv,
                                         absl::Duration at_most, size_t max_output,
                                         const std::atomic<bool>* cancel) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) {
    return absl::InternalError(absl::StrCat("cannot make a pipe: ", std::strerror(errno)));
  }
  const Descriptor output(ends[0]);
  absl::StatusOr<ChildProcess> child = [&] {
    const Descriptor input(ends[1]);
    return ChildProcess::Start(argv, {{1, input.get()}, {2, input.get()}});
  }();
  if (!child.ok()) return child.status();
  CommandResult result;
  const absl::Time deadline = absl::Now() + at_most;
  while (true) {
    if (cancel != nullptr && cancel->load()) return absl::CancelledError("cancelled");
    if (absl::Now() > deadline) {
      result.timed_out = true;
      break;
    }
    pollfd readable{output.get(), POLLIN, 0};
    if (poll(&readable, 1, static_cast<int>(absl::ToInt64Milliseconds(kPoll))) <= 0) continue;
    char bytes[4096];
    const ssize_t count = read(output.get(), bytes, sizeof(bytes));
    if (count <= 0) break;
    result.output.append(bytes, std::min<size_t>(count, max_output - result.output.size()));
  }
  // Who has closed its output is about to end.
  std::optional<ChildEnd> end;
  if (!result.timed_out) end = child->Wait(absl::Seconds(5));
  result.end = end.has_value() ? *end : child->Kill();
  return result;
}

}  // namespace aisivi::server
