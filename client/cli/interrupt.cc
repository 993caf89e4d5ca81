#include "client/cli/interrupt.h"

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>

namespace aisivi::cli {
namespace {

std::atomic<int> write_end{-1};

// Async-signal-safe: a signal handler may do little more than this.
void OnInterrupt(int) {
  const int saved = errno;
  const char byte = 'i';
  if (write(write_end.load(), &byte, 1) != 1) _exit(130);
  errno = saved;
}

}  // namespace

InterruptToken::InterruptToken() {
  if (pipe2(pipe_, O_CLOEXEC) != 0) std::abort();
  write_end = pipe_[1];
  struct sigaction action = {};
  action.sa_handler = OnInterrupt;
  action.sa_flags = SA_RESTART | SA_RESETHAND;
  sigaction(SIGINT, &action, &before_);
  thread_ = std::thread([this] {
    char byte = 0;
    ssize_t got;
    do {
      got = read(pipe_[0], &byte, 1);
    } while (got < 0 && errno == EINTR);
    if (byte == 'i') source_.request_stop();
  });
}

InterruptToken::~InterruptToken() {
  sigaction(SIGINT, &before_, nullptr);
  const char byte = 'q';
  if (write(pipe_[1], &byte, 1) == 1) {
    thread_.join();
  } else {
    thread_.detach();
  }
  write_end = -1;
  close(pipe_[0]);
  close(pipe_[1]);
}

}  // namespace aisivi::cli
