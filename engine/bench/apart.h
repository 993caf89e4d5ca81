// Runs a measurement in a process of its own, so that its memory is its own.
#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <functional>
#include <optional>
#include <type_traits>

namespace aisivi::bench {

// The result of `measure` in a child process; none when the child failed. The caller must have no
// other threads.
template <typename Result>
std::optional<Result> RunApart(const std::function<Result()>& measure) {
  static_assert(std::is_trivially_copyable_v<Result>);
  int ends[2];
  if (pipe(ends) != 0) return std::nullopt;
  std::fflush(stdout);
  const pid_t child = fork();
  if (child == 0) {
    const Result result = measure();
    const bool sent = write(ends[1], &result, sizeof(result)) == sizeof(result);
    _exit(sent ? 0 : 1);
  }
  close(ends[1]);
  Result result;
  const bool received = child > 0 && read(ends[0], &result, sizeof(result)) == sizeof(result);
  close(ends[0]);
  int status = 1;
  if (child > 0) waitpid(child, &status, 0);
  if (!received || status != 0) return std::nullopt;
  return result;
}

// The peak resident memory of this process so far (VmHWM), in MiB.
double PeakMb();

}  // namespace aisivi::bench
