// Does what no Stan program can, after it has given up what an evaluating process gives up.
#include <arpa/inet.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <cstdlib>
#include <string>

#include "server/stan/host/isolation.h"

int main(int argc, char** argv) {
  using aisivi::stan_host::kSocketFd;
  const std::string what = argc > 1 ? argv[1] : "";
  if (!aisivi::stan_host::Isolate(uint64_t{1} << 30)) _exit(9);
  const int written = static_cast<int>(write(kSocketFd, "x", 1));
  if (what == "answer") _exit(written == 1 ? 0 : 1);
  if (what == "open") open("/etc/hostname", O_RDONLY);
  if (what == "socket") socket(AF_INET, SOCK_STREAM, 0);
  if (what == "fork") fork();
  if (what == "exec") execl("/usr/bin/true", "true", nullptr);
  if (what == "write") write(1, "x", 1);
  if (what == "kill") kill(getppid(), SIGTERM);
  if (what == "priority") setpriority(PRIO_PROCESS, 0, 0);
  if (what == "code") {
    mmap(nullptr, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  }
  if (what == "memory") _exit(std::malloc(size_t{4} << 30) == nullptr ? 0 : 1);
  if (what == "some_memory") {
    for (int i = 0; i < 100; ++i) {
      volatile char* block = static_cast<char*>(std::malloc(1 << 20));
      if (block == nullptr) _exit(1);
      block[0] = 1;
    }
    _exit(0);
  }
  if (what == "abort") std::abort();
  _exit(7);
}
