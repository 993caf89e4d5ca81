// What an evaluating process gives up before it runs a line of the program: memory and files by
// limits, and all system calls but those that computing, and answering, need.
#pragma once

#include <seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <cstdint>

#include "wire.h"

namespace aisivi::stan_host {

inline bool Limit(int resource, rlim_t value) {
  const rlimit limit{value, value};
  return setrlimit(static_cast<__rlimit_resource>(resource), &limit) == 0;
}

// Of calls with conditions: an argument that must be equal, or without a bit.
inline bool Allow(scmp_filter_ctx filter, int call) {
  return seccomp_rule_add(filter, SCMP_ACT_ALLOW, call, 0) == 0;
}
inline bool AllowOn(scmp_filter_ctx filter, int call, uint64_t first_argument) {
  return seccomp_rule_add(filter, SCMP_ACT_ALLOW, call, 1, SCMP_A0(SCMP_CMP_EQ, first_argument)) ==
         0;
}
inline bool AllowWithoutExec(scmp_filter_ctx filter, int call) {
  return seccomp_rule_add(filter, SCMP_ACT_ALLOW, call, 1,
                          SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0)) == 0;
}

// The calling process is killed by SIGSYS when it makes another call. False when the kernel will
// not have it.
inline bool Isolate(uint64_t memory_bytes) {
  if (!Limit(RLIMIT_AS, memory_bytes) || !Limit(RLIMIT_CORE, 0) || !Limit(RLIMIT_FSIZE, 0)) {
    return false;
  }
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) {
    return false;
  }
  scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
  if (filter == nullptr) return false;
  bool ok =
      AllowOn(filter, SCMP_SYS(read), kSocketFd) && AllowOn(filter, SCMP_SYS(write), kSocketFd) &&
      AllowWithoutExec(filter, SCMP_SYS(mmap)) && AllowWithoutExec(filter, SCMP_SYS(mprotect)) &&
      // abort() raises its signal by these.
      AllowOn(filter, SCMP_SYS(tgkill), static_cast<uint64_t>(getpid()));
  for (const int call :
       {SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(brk), SCMP_SYS(madvise), SCMP_SYS(futex),
        SCMP_SYS(setitimer), SCMP_SYS(clock_gettime), SCMP_SYS(gettimeofday),
        SCMP_SYS(rt_sigreturn), SCMP_SYS(rt_sigprocmask), SCMP_SYS(getpid), SCMP_SYS(gettid),
        SCMP_SYS(sched_yield), SCMP_SYS(exit), SCMP_SYS(exit_group)}) {
    ok = ok && Allow(filter, call);
  }
  ok = ok && seccomp_load(filter) == 0;
  seccomp_release(filter);
  return ok;
}

}  // namespace aisivi::stan_host
